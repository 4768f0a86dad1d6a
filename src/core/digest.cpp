#include "core/digest.hpp"

#include <openssl/evp.h>

namespace weir {
namespace {

// Looked up once: OpenSSL 3 fetches an algorithm anew on every call that names it by EVP_md5() and the like,
// which costs more than hashing a short string. Kept for the life of the process.
const EVP_MD* algorithm(Digest kind) noexcept {
  static const EVP_MD* const known[] = {EVP_MD_fetch(nullptr, "MD5", nullptr),
                                        EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                        EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  return known[static_cast<std::size_t>(kind)];
}

}  // namespace

DigestValue digest(Digest kind, Bytes data) noexcept {
  DigestValue value;
  const EVP_MD* md = algorithm(kind);
  unsigned size = 0;
  if (md != nullptr && EVP_Digest(data.data(), data.size(), value.bytes.data(), &size, md, nullptr) == 1)
    value.size = static_cast<std::uint8_t>(size);
  return value;
}

std::string to_hex(Bytes data) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(data.size() * 2);
  for (const std::uint8_t byte : data) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string hex_digest(Digest kind, Bytes data) {
  const DigestValue value = digest(kind, data);
  return to_hex({value.bytes.data(), value.size});
}

DigestStream::DigestStream(Digest kind) noexcept : context_(EVP_MD_CTX_new()) {
  const EVP_MD* md = algorithm(kind);
  if (context_ != nullptr && (md == nullptr || EVP_DigestInit_ex(context_.get(), md, nullptr) != 1))
    context_.reset();
}

void DigestStream::add(Bytes data) noexcept {
  if (context_ != nullptr && EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1)
    context_.reset();
}

std::string DigestStream::hex() {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (context_ == nullptr || EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) != 1) return {};
  return to_hex({bytes.data(), size});
}

void DigestStream::Free::operator()(EVP_MD_CTX* context) const noexcept {
  EVP_MD_CTX_free(context);
}

}  // namespace weir
