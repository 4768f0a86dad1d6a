// Follows one connection's handshake, message by message, and makes its `tls` record and one `certificate`
// record for each certificate in clear. Knows messages, not how they travel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugin/parser.hpp"
#include "tls/certificate.hpp"
#include "tls/hello.hpp"

namespace weir::tls {

class Session {
 public:
  static constexpr std::size_t chain_max =
      16;  // certificates of one chain; more: oddity certificates_left_out
  static constexpr std::size_t history_max = 64;  // letters; later ones are left out

  explicit Session(Carrier carrier) noexcept : carrier_(carrier) {}

  // One whole message, its header taken off; the sender is c.side.
  void message(Context& c, std::uint8_t type, Bytes body);
  // An SSL 2.0 hello, after its length and type.
  void sslv2_hello(Context& c, Bytes body);
  // The server answers in SSL 2.0.
  void sslv2_answer(Side side);
  void change_cipher_spec(Side side);
  void alert(Side side, std::uint8_t description);
  // A record whose contents cannot be read: application data, or anything after change_cipher_spec.
  void ciphertext(Side side, std::size_t size) noexcept;
  void other(Side side, bool is_heartbeat) { note(side, is_heartbeat ? 'B' : 'Q'); }
  void first_record(Side side, std::uint16_t version) noexcept;

  // Whether records of this side can no longer be read.
  bool is_encrypted(Side side) const noexcept { return sides_[index(side)].encrypted; }
  bool established() const noexcept { return established_; }
  bool has_hello() const noexcept { return started_; }

  // The `tls` record, of what is known so far. Once.
  void emit(Context& c);

 private:
  struct Peer {
    bool encrypted = false, sent_ciphertext = false;
    std::shared_ptr<const CertificateFacts> leaf;  // see read_certificate
    std::vector<std::string> chain;                // SHA-256 of each
    bool sent_certificates = false;
  };
  static constexpr std::size_t index(Side side) noexcept { return side == Side::orig ? 0 : 1; }
  bool is_client(Side side) const noexcept { return side == client_; }
  const Peer& client() const noexcept { return sides_[index(client_)]; }
  const Peer& server() const noexcept { return sides_[1 - index(client_)]; }

  void note(Side side, char letter);
  void start(Context& c, Side client) noexcept;
  void client_hello(Context& c, const ClientHello& hello);
  void server_hello(Context& c, const ServerHello& hello);
  void certificates(Context& c, Bytes body);
  void server_key_exchange(Bytes body) noexcept;

  Carrier carrier_;
  Side client_ = Side::orig;
  bool started_ = false, has_client_hello_ = false, has_server_hello_ = false, has_key_exchange_ = false;
  bool established_ = false, resumed_ = false, retried_ = false, early_data_ = false, ech_ = false;
  bool has_server_name_ = false, has_alpn_ = false, has_next_protocol_ = false, emitted_ = false;
  std::uint16_t version_ = 0, record_version_ = 0, cipher_ = 0;
  std::uint16_t group_ = 0;  // 0 is no group's number
  std::string_view last_alert_;
  Time time_;
  std::string session_id_, server_name_, alpn_, next_protocol_, ja3_, ja3s_, ja4_, retry_ja4_, history_;
  Peer sides_[2];
};

// The name, or "0x1a2b" for a number without one. The second is for the record emitted next.
Text cipher_text(Context& c, std::uint16_t cipher);
Text group_text(Context& c, std::uint16_t group);
Text version_text(Context& c, std::uint16_t version);
// The names of an ALPN list. For the record emitted next.
List<Text> alpn_texts(Context& c, std::string_view list);
// The newest version that is offered, GREASE aside.
std::uint16_t newest_version(const ClientHello& hello) noexcept;
bool is_tls13(std::uint16_t version) noexcept;

}  // namespace weir::tls
