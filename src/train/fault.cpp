#include <lockstep/train/fault.hpp>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

constexpr std::array<std::pair<std::string_view, FaultKind>, 13> kinds{{
    {"exit", FaultKind::exit},
    {"kill", FaultKind::kill},
    {"stop", FaultKind::stop},
    {"slow", FaultKind::slow},
    {"error", FaultKind::error},
    {"nan", FaultKind::nan},
    {"flip", FaultKind::flip},
    {"flip-moment", FaultKind::flip_moment},
    {"flip-gradient", FaultKind::flip_gradient},
    {"wrong-sum", FaultKind::wrong_sum},
    {"torn-checkpoint", FaultKind::torn_checkpoint},
    {"flip-checkpoint", FaultKind::flip_checkpoint},
    {"full-disk", FaultKind::full_disk},
}};

[[noreturn]] void refuse(std::string_view part) {
  std::string names;
  for (const auto& [name, kind] : kinds) names.append(names.empty() ? "" : "|").append(name);
  throw Error(ExitCode::usage,
              fmt::format("--inject: '{}' is no part of rank=N,step=N,kind={}[,place=N][,bit=N]",
                          part, names));
}

std::uint64_t number(std::string_view part, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse(part);
  return value;
}

FaultKind kind_of(std::string_view part, std::string_view text) {
  for (const auto& [name, kind] : kinds) {
    if (name == text) return kind;
  }
  refuse(part);
}

/// Takes what is before the next `separator`, and that, off the text.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

Fault parse_fault(std::string_view text) {
  Fault fault;
  bool has_step = false;
  bool has_kind = false;
  const std::string_view all = text;
  while (!text.empty()) {
    const std::string_view part = cut(text, ',');
    std::string_view value = part;
    const std::string_view name = cut(value, '=');
    if (name == "rank") {
      fault.rank = number(part, value);
    } else if (name == "step") {
      fault.step = number(part, value);
      has_step = fault.step > 0;
    } else if (name == "place") {
      fault.place = number(part, value);
    } else if (name == "bit") {
      fault.bit = static_cast<unsigned>(number(part, value) % 64);
    } else if (name == "kind") {
      fault.kind = kind_of(part, value);
      has_kind = true;
    } else {
      refuse(part);
    }
  }
  if (!has_step || !has_kind) refuse(all);
  return fault;
}

}  // namespace

std::vector<Fault> parse_faults(const std::string& text) {
  std::vector<Fault> faults;
  std::string_view rest = text;
  if (rest == "none") rest = {};
  while (!rest.empty()) faults.push_back(parse_fault(cut(rest, ':')));
  return faults;
}

}  // namespace lockstep
