#include <lockstep/store/safetensors.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <lockstep/core/error.hpp>
#include <lockstep/store/file.hpp>

namespace lockstep {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's numbers are little-endian");

using Json = nlohmann::ordered_json;

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t largest_header = 100'000'000;  // the format's own limit
constexpr std::size_t alignment = 8;
constexpr const char* metadata_key = "__metadata__";
constexpr auto replace_bad_utf8 = Json::error_handler_t::replace;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ExitCode::store,
              fmt::format("{} is no model file of safetensors: {}: choose another file",
                          path.string(), reason));
}

/// A tensor and the bytes [begin, end) of the values that are its own.
struct Entry {
  NamedTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The product times the size of a float; an overflow is a mistake of the header.
bool byte_count(const std::vector<std::size_t>& shape, std::uint64_t& bytes) {
  bytes = sizeof(float);
  for (const std::size_t extent : shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return false;
  }
  return true;
}

/// Objects in a header are two levels deep, and no key comes twice in one.
Json parse_header(std::string_view text, const std::filesystem::path& path) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 4) fail(path, "its header is nested too deep");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      fail(path, "its header names something twice");
    }
    return true;
  };
  if (text.empty() || text.front() != '{') fail(path, "its header is no JSON object");
  try {
    return Json::parse(text, check);
  } catch (const Json::exception&) {
    fail(path, "its header is no JSON");
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
      fail(path, fmt::format("tensor '{}' lacks its type, shape or offsets", name));
    } catch (const std::invalid_argument& reason) {
      fail(path, fmt::format("tensor '{}': {}", name, reason.what()));
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
    fail(path, "its metadata are no texts");
  }
}

/// The values must be those of the tensors, one after the other, no more and no less.
void check_places(const std::vector<Entry>& entries, std::uint64_t size,
                  const std::filesystem::path& path) {
  std::uint64_t place = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != place)
      fail(path, fmt::format("a gap before tensor '{}'", entry.tensor.name));
    place = entry.end;
  }
  if (place > size) fail(path, fmt::format("cut short: {} of {} bytes of values", size, place));
  if (place < size) fail(path, fmt::format("{} bytes follow the last tensor", size - place));
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

}  // namespace

const NamedTensor& TensorFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const NamedTensor& tensor) { return tensor.name == name; });
  if (found == tensors.end()) {
    throw Error(ExitCode::store, fmt::format("{} has no tensor '{}': choose a model of lockstep",
                                             path.string(), name));
  }
  return *found;
}

const NamedTensor& TensorFile::find(const std::string& name,
                                    const std::vector<std::size_t>& shape) const {
  const NamedTensor& tensor = find(name);
  if (tensor.shape != shape) {
    throw Error(ExitCode::store,
                fmt::format("{}: tensor '{}' has shape {}, not {}: choose a model of lockstep",
                            path.string(), name, tensor.shape, shape));
  }
  return tensor;
}

void write_tensors(const std::filesystem::path& path, const TensorFile& file) {
  const std::string header = make_header(file);
  const std::uint64_t length = header.size();
  std::string text(length_bytes, '\0');
  std::memcpy(text.data(), &length, length_bytes);
  text += header;
  for (const NamedTensor& tensor : file.tensors) {
    text.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
  }
  write_file(path, text);
}

TensorFile read_tensors(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  if (text.size() < length_bytes) fail(path, "shorter than 8 bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), length_bytes);
  if (length > largest_header || length > text.size() - length_bytes) {
    fail(path, fmt::format("a header of {} bytes in a file of {}", length, text.size()));
  }
  const std::string_view values = std::string_view(text).substr(length_bytes + length);
  const Json header = parse_header(std::string_view(text).substr(length_bytes, length), path);
  std::vector<Entry> entries = parse_entries(header, path);
  check_places(entries, values.size(), path);

  TensorFile file{{}, parse_metadata(header, path), path};
  for (Entry& entry : entries) {
    entry.tensor.values.resize((entry.end - entry.begin) / sizeof(float));
    if (entry.end > entry.begin) {
      std::memcpy(entry.tensor.values.data(), values.data() + entry.begin, entry.end - entry.begin);
    }
    file.tensors.push_back(std::move(entry.tensor));
  }
  return file;
}

}  // namespace lockstep
