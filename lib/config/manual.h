// The manual of all options, in Markdown, made from the option table.
#pragma once

#include <string>

namespace postern::config {

/// The text of doc/configuration.md.
std::string manual();

}  // namespace postern::config
