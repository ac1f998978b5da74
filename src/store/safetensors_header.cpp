#include "safetensors_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t alignment = 8;
constexpr const char* metadata_key = "__metadata__";
constexpr auto replace_bad_utf8 = Json::error_handler_t::replace;

/// The product times the size of a float; an overflow is a mistake of the header.
bool byte_count(const std::vector<std::size_t>& shape, std::uint64_t& bytes) {
  bytes = sizeof(float);
  for (const std::size_t extent : shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return false;
  }
  return true;
}

/// Objects in a header are two levels deep, and no key comes twice in one.
Json parse_json(std::string_view text, const std::filesystem::path& path) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 4) fail_as_safetensors(path, "its header is nested too deep");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      fail_as_safetensors(path, "its header names something twice");
    }
    return true;
  };
  if (text.empty() || text.front() != '{')
    fail_as_safetensors(path, "its header is no JSON object");
  try {
    return Json::parse(text, check);
  } catch (const Json::exception&) {
    fail_as_safetensors(path, "its header is no JSON");
  }
}

std::uint64_t to_unsigned(const Json& value) {
  if (!value.is_number_unsigned()) throw std::invalid_argument("a size is no whole number");
  return value.get<std::uint64_t>();
}

Entry parse_entry(const std::string& name, const Json& value) {
  if (value.at("dtype").get<std::string>() != "F32") throw std::invalid_argument("not of type F32");
  const Json& shape = value.at("shape");
  const Json& offsets = value.at("data_offsets");
  if (!shape.is_array() || offsets.size() != 2)
    throw std::invalid_argument("no shape or no offsets");
  Entry entry{{name, {}, {}}};
  for (const Json& extent : shape) entry.tensor.shape.push_back(to_unsigned(extent));
  entry.begin = to_unsigned(offsets.at(0));
  entry.end = to_unsigned(offsets.at(1));
  std::uint64_t bytes = 0;
  if (!byte_count(entry.tensor.shape, bytes) || entry.end < entry.begin ||
      entry.end - entry.begin != bytes) {
    throw std::invalid_argument("shape and offsets differ");
  }
  return entry;
}

std::vector<Entry> parse_entries(const Json& header, const std::filesystem::path& path) {
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == metadata_key) continue;
    try {
      entries.push_back(parse_entry(name, value));
    } catch (const Json::exception&) {
      fail_as_safetensors(path, fmt::format("tensor '{}' lacks its type, shape or offsets", name));
    } catch (const std::invalid_argument& reason) {
      fail_as_safetensors(path, fmt::format("tensor '{}': {}", name, reason.what()));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  return entries;
}

std::map<std::string, std::string> parse_metadata(const Json& header,
                                                  const std::filesystem::path& path) {
  if (!header.contains(metadata_key)) return {};
  try {
    return header.at(metadata_key).get<std::map<std::string, std::string>>();
  } catch (const Json::exception&) {
    fail_as_safetensors(path, "its metadata are no texts");
  }
}

}  // namespace

void fail_as_safetensors(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ExitCode::store,
              fmt::format("{} is no model file of safetensors: {}: choose another file",
                          path.string(), reason));
}

SafetensorsHeader parse_header(std::string_view text, const std::filesystem::path& path) {
  const Json json = parse_json(text, path);
  return {parse_entries(json, path), parse_metadata(json, path)};
}

std::string make_header(const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[metadata_key] = file.metadata;
  std::uint64_t begin = 0;
  for (const NamedTensor& tensor : file.tensors) {
    const std::uint64_t end = begin + tensor.values.size() * sizeof(float);
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(-1, ' ', false, replace_bad_utf8);
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  return text;
}

}  // namespace lockstep
