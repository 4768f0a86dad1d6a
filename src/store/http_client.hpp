// HTTP/1.1 (RFC 9112) to one server over one connection that is kept open: what talks to a database needs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"

namespace weir {

// While a request waits: asked a few times a second; returning false ends the request, and the connection,
// with the error "interrupted".
using HttpWatch = std::function<bool()>;

struct HttpRequest {
  std::string target;                          // path and query, encoded
  std::map<std::string, std::string> headers;  // without control characters
  std::span<const std::string_view> body;      // the pieces of one body, borrowed for the call
  Duration patience = seconds(30);  // for the whole body to be taken, and then for the reply to begin
};

// One thread at a time. Failures are Code::environment. A peer that vanished without a word is noticed within
// half a minute, however long the patience.
class HttpClient {
 public:
  HttpClient(std::string host, std::uint16_t port);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Sends a POST and waits for the head of the reply. Returns the status. After a failure nobody knows
  // whether the server got the request, except when the connection could not be made.
  Result<unsigned> post(const HttpRequest& request, const HttpWatch& watch = {});
  // The next bytes of the reply's body, at most `room.size()`; 0 at its end.
  Result<std::size_t> read(std::span<char> room, const HttpWatch& watch = {});
  // The rest of the reply's body, at most `most` bytes of it.
  Result<std::string> read_all(std::size_t most, const HttpWatch& watch = {});
  // host:port
  const std::string& name() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// With %XX for all but RFC 3986's unreserved characters; and back, where bad escapes are Code::usage.
std::string url_encode(std::string_view text);
Result<std::string> url_decode(std::string_view text);

}  // namespace weir
