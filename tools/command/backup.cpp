// postern backup: a hot backup of the metadata, by metad if it runs.
#include <fmt/format.h>

#include <filesystem>

#include "tools/command/commands.h"

namespace postern::tools {

Result<int> backup(const Arguments& arguments, Context& context) {
  std::error_code error;
  const auto directory = std::filesystem::absolute(arguments.text("directory"), error);
  if (error) return fail(Errc::bad_syntax, "{}: {}", arguments.text("directory"), error.message());
  meta::Meta* const meta = TRY(context.meta());
  TRY(meta->backup(directory.string()));
  fmt::print("metadata: {}\n", directory.string());
  return 0;
}

}  // namespace postern::tools
