#include "lib/config/toml_file.h"

#include <toml++/toml.h>

namespace postern::config {
namespace {

Result<std::string> scalar_text(const toml::node& node) {
  if (const auto* s = node.as_string()) return s->get();
  if (const auto* b = node.as_boolean()) return std::string(b->get() ? "true" : "false");
  if (const auto* i = node.as_integer()) return std::to_string(i->get());
  return fail(Errc::bad_syntax, "neither text, number nor true/false");
}

class Flattener {
 public:
  explicit Flattener(TomlFile& out) : out_(out) {}

  Result<void> table(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) TRY(value(node, prefix + std::string(key.str())));
    return {};
  }

 private:
  Result<void> value(const toml::node& node, const std::string& name) {
    if (const auto* inner = node.as_table()) return table(*inner, name + '.');
    TomlValue value{.name = name,
                    .scalar = {},
                    .items = {},
                    .is_list = node.is_array(),
                    .line = node.source().begin.line};
    if (const auto* array = node.as_array()) {
      for (const auto& item : *array) value.items.push_back(TRY(text_of(item, value)));
    } else {
      value.scalar = TRY(text_of(node, value));
    }
    out_.values.push_back(std::move(value));
    return {};
  }

  Result<std::string> text_of(const toml::node& node, const TomlValue& where) {
    auto text = scalar_text(node);
    if (text) return text;
    return fail(Errc::bad_syntax, "{}:{}: {}: {}", out_.path, where.line, where.name,
                text.error().text);
  }

  TomlFile& out_;
};

}  // namespace

Result<TomlFile> read_toml(std::string_view text, std::string_view path) {
  TomlFile file{.path = std::string(path), .values = {}};
  try {
    const toml::table root = toml::parse(text, path);
    TRY(Flattener(file).table(root, ""));
  } catch (const toml::parse_error& e) {
    return fail(Errc::bad_syntax, "{}:{}: {}", path, e.source().begin.line, e.description());
  }
  return file;
}

}  // namespace postern::config
