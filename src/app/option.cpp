#include "option.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace lockstep {

namespace {

template <typename T>
bool parse(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end;
}

}  // namespace

bool parse_whole(const std::string& text, std::uint64_t low, std::uint64_t high,
                 std::uint64_t& value) {
  return parse(text, value) && low <= value && value <= high;
}

bool parse_real(const std::string& text, double low, bool inclusive, double& value) {
  double parsed = 0;
  if (!parse(text, parsed) || !std::isfinite(parsed)) return false;
  if (inclusive ? parsed < low : parsed <= low) return false;
  value = parsed;
  return true;
}

bool parse_flag(const std::string& text, bool& value) {
  value = text == "true";
  return value || text == "false";
}

bool parse_list(const std::string& text, std::uint64_t high, std::vector<std::size_t>& values) {
  std::vector<std::size_t> parsed;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::uint64_t value = 0;
    if (!parse_whole(text.substr(begin, end - begin), 1, high, value)) return false;
    if (std::find(parsed.begin(), parsed.end(), value) != parsed.end()) return false;
    parsed.push_back(value);
    begin = end + 1;
  }
  values = std::move(parsed);
  return true;
}

std::string range_text(std::uint64_t low, std::uint64_t high) {
  return fmt::format("a whole number from {} to {}", low, high);
}

}  // namespace lockstep
