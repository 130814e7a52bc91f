// Variables and their expansion (RFC 5229 §3).
#include "sieve/variables.h"

#include <algorithm>

#include "sieve/utf8.h"

namespace postern::sieve {
namespace {

// identifier = (ALPHA / "_") *(ALPHA / DIGIT / "_")
bool is_identifier(std::string_view text) {
  const auto start = [](char c) { return ascii_alpha(c) || c == '_'; };
  return !text.empty() && start(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return start(c) || ascii_digit(c); });
}

bool is_item_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return ascii_alpha(c) || ascii_digit(c) || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

// variable-name = num-variable / [namespace] identifier
VariableName parse_variable_name(std::string_view text) {
  using Kind = VariableName::Kind;
  if (is_identifier(text)) return {Kind::plain, text, 0};
  if (!text.empty() && std::ranges::all_of(text, ascii_digit)) {
    const auto number = parse_u32(text);
    return {Kind::match, text, number ? *number : ~std::size_t{0}};
  }
  if (istarts_with(text, "global.") && is_identifier(text.substr(7)))
    return {Kind::global, text.substr(7), 0};
  if (istarts_with(text, "env.") && is_item_name(text.substr(4)))
    return {Kind::environment, text.substr(4), 0};
  return {};
}

std::string_view Variables::get(const VariableName& name) const {
  if (name.kind == VariableName::Kind::match)
    return name.number < captures_.size() ? std::string_view(captures_[name.number])
                                          : std::string_view();
  const bool global = name.kind == VariableName::Kind::global || global_names_.contains(name.name);
  const VariableMap& map = global ? globals_ : locals_;
  const auto at = map.find(name.name);
  return at == map.end() ? std::string_view() : std::string_view(at->second);
}

Result<void> Variables::set(const VariableName& name, std::string_view value) {
  const bool global = name.kind == VariableName::Kind::global || global_names_.contains(name.name);
  VariableMap& map = global ? globals_ : locals_;
  value = utf8_cut(value, limits_.variable_octets);
  auto at = map.find(name.name);
  if (at == map.end()) {
    if (map.size() >= limits_.variables) return fail(Errc::limit, "too many variables");
    at = map.emplace(std::string(name.name), std::string()).first;
  }
  octets_ = octets_ - at->second.size() + value.size();
  if (octets_ > limits_.variables_octets)
    return fail(Errc::limit, "the variables hold too much text");
  at->second = value;
  return {};
}

std::string Variables::expand(std::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const auto at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 2);
    const auto close = text.find('}');
    const auto name = parse_variable_name(text.substr(0, close));
    if (close == std::string_view::npos || name.kind == VariableName::Kind::invalid ||
        (name.kind == VariableName::Kind::environment && !environment_)) {
      out += "${";
      continue;
    }
    if (name.kind == VariableName::Kind::environment)
      out += environment_(name.name);
    else
      out += get(name);
    text.remove_prefix(close + 1);
    if (out.size() > limits_.expanded_octets) break;
  }
  out.resize(utf8_cut(out, limits_.expanded_octets).size());
  return out;
}

}  // namespace postern::sieve
