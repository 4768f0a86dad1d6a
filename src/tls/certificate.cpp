#include "tls/certificate.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <unordered_map>

#include "core/digest.hpp"

namespace weir::tls {
namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* p) const noexcept {
    release(p);
  }
};
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Output = std::unique_ptr<BIO, Release<BIO_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;
using Constraints = std::unique_ptr<BASIC_CONSTRAINTS, Release<BASIC_CONSTRAINTS_free>>;

// RFC 4514, with characters outside ASCII left as UTF-8.
std::string name_text(const X509_NAME* name) {
  const Output out{BIO_new(BIO_s_mem())};
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string{};
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const int size = ASN1_STRING_length(serial);
  if (size <= 0) return "00";
  std::string hex = to_hex({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(size)});
  for (char& c : hex)
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  return ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? '-' + hex : hex;
}

std::optional<Time> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  // Years that nanoseconds since 1970 in 64 bits do not reach; RFC 5280 §4.1.2.5 has 9999 for "never".
  if (parts.tm_year < 1700 - 1900 || parts.tm_year > 2261 - 1900) return std::nullopt;
  return Time{} + seconds(timegm(&parts));
}

std::string algorithm_name(int nid) {
  const char* name = OBJ_nid2ln(nid);
  return nid == NID_undef || name == nullptr ? std::string{} : std::string{name};
}

std::string key_name(int nid) {
  switch (nid) {
    case EVP_PKEY_RSA: return "rsa";
    case EVP_PKEY_RSA_PSS: return "rsa-pss";
    case EVP_PKEY_DSA: return "dsa";
    case EVP_PKEY_DH: return "dh";
    case EVP_PKEY_EC: return "ecdsa";
    case EVP_PKEY_ED25519: return "ed25519";
    case EVP_PKEY_ED448: return "ed448";
    default: return algorithm_name(nid);
  }
}

// OpenSSL prefers X9.62's names for two of the curves that TLS calls otherwise.
std::string_view curve_name(std::string_view name) noexcept {
  if (name == "prime256v1") return "secp256r1";
  if (name == "prime192v1") return "secp192r1";
  return name;
}

void read_key(const X509* x, CertificateFacts& facts) {
  X509_PUBKEY* info = X509_get_X509_PUBKEY(x);
  ASN1_OBJECT* algorithm = nullptr;
  if (info == nullptr || X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, info) != 1) return;
  facts.key_type = key_name(OBJ_obj2nid(algorithm));
  const EVP_PKEY* key = X509_PUBKEY_get0(info);
  if (key == nullptr) return;  // an algorithm OpenSSL does not know, or a broken key
  const int bits = EVP_PKEY_get_bits(key);
  facts.key_bits = bits > 0 ? static_cast<std::uint32_t>(bits) : 0;
  char curve[64];
  std::size_t size = 0;
  if (facts.key_type == "ecdsa" &&
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, &size) == 1)
    facts.curve = curve_name({curve, size});
}

void add_name(const GENERAL_NAME& name, CertificateFacts& facts) {
  const auto text = [](const ASN1_STRING* s) {
    return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)),
                       static_cast<std::size_t>(ASN1_STRING_length(s)));
  };
  switch (name.type) {
    case GEN_DNS: facts.dns.push_back(text(name.d.dNSName)); break;
    case GEN_EMAIL: facts.email.push_back(text(name.d.rfc822Name)); break;
    case GEN_URI: facts.uri.push_back(text(name.d.uniformResourceIdentifier)); break;
    case GEN_IPADD: {
      const int size = ASN1_STRING_length(name.d.iPAddress);
      const std::uint8_t* bytes = ASN1_STRING_get0_data(name.d.iPAddress);
      if (size == 4) facts.ip.push_back(Addr::v4(bytes));
      if (size == 16) facts.ip.push_back(Addr::v6(bytes));
      break;
    }
    default: break;
  }
}

void read_extensions(const X509* x, CertificateFacts& facts) {
  const Names names{static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr))};
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    if (static_cast<std::size_t>(i) == alternative_names_max) {
      facts.names_cut = true;
      break;
    }
    add_name(*sk_GENERAL_NAME_value(names.get(), i), facts);
  }
  const Constraints constraints{
      static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(x, NID_basic_constraints, nullptr, nullptr))};
  if (!constraints) return;
  facts.is_ca = constraints->ca != 0;
  if (constraints->pathlen == nullptr) return;
  const long length = ASN1_INTEGER_get(constraints->pathlen);
  if (length >= 0) facts.path_length = static_cast<std::uint32_t>(length);
}

std::shared_ptr<const CertificateFacts> decode(Bytes der) {
  const std::uint8_t* at = der.data();
  const Certificate x{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  if (!x) {
    ERR_clear_error();
    return nullptr;
  }
  auto facts = std::make_shared<CertificateFacts>();
  const X509_NAME *subject = X509_get_subject_name(x.get()), *issuer = X509_get_issuer_name(x.get());
  facts->subject = name_text(subject);
  facts->issuer = name_text(issuer);
  facts->serial = serial_text(X509_get0_serialNumber(x.get()));
  facts->not_before = time_of(X509_get0_notBefore(x.get()));
  facts->not_after = time_of(X509_get0_notAfter(x.get()));
  facts->signature_algorithm = algorithm_name(X509_get_signature_nid(x.get()));
  facts->version = static_cast<std::uint8_t>(X509_get_version(x.get()) + 1);
  facts->self_signed = X509_NAME_cmp(subject, issuer) == 0;
  facts->sha1 = hex_digest(Digest::sha1, der);
  facts->sha256 = hex_digest(Digest::sha256, der);
  read_key(x.get(), *facts);
  read_extensions(x.get(), *facts);
  ERR_clear_error();
  return facts;
}

}  // namespace

std::shared_ptr<const CertificateFacts> read_certificate(Bytes der) {
  if (der.size() > certificate_size_max) return nullptr;
  thread_local std::unordered_map<std::string, std::shared_ptr<const CertificateFacts>> known;
  const DigestValue key = digest(Digest::sha256, der);
  if (key.size == 0) return decode(der);
  std::string text(as_text({key.bytes.data(), key.size}));
  if (const auto found = known.find(text); found != known.end()) return found->second;
  auto facts = decode(der);
  if (known.size() >= certificates_kept) known.clear();
  known.emplace(std::move(text), facts);
  return facts;
}

}  // namespace weir::tls
