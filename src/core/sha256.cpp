#include <lockstep/core/sha256.hpp>

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include <lockstep/core/handle.hpp>

namespace lockstep {
namespace {

struct DigestTraits {
  using Type = EVP_MD_CTX*;
  static Type null() noexcept { return nullptr; }
  static void destroy(Type context) noexcept { EVP_MD_CTX_free(context); }
};

void check(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL refused SHA-256");
}

}  // namespace

struct Sha256::State {
  Handle<DigestTraits> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}
Sha256::Sha256(const Sha256& other) : state_(std::make_unique<State>()) {
  check(EVP_MD_CTX_copy_ex(state_->context.get(), other.state_->context.get()));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size));
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace lockstep
