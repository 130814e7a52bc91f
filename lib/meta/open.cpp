#include "lib/meta/open.h"

#include "lib/meta/client.h"
#include "lib/meta/embedded.h"

namespace postern::meta {

std::string socket_path(const config::Config& config) {
  const std::string& path = config.text("meta.socket");
  return path.empty() ? config.text("server.runtime_directory") + "/metad.sock" : path;
}

std::unique_ptr<Meta> connect_meta(const config::Config& config) {
  return std::make_unique<Client>(socket_path(config), config.duration("meta.timeout"));
}

Result<std::unique_ptr<Meta>> open_meta(const config::Config& config, std::string_view purpose) {
  auto client = std::make_unique<Client>(socket_path(config), config.duration("meta.timeout"));
  const auto answered = client->ping();
  if (answered) return std::unique_ptr<Meta>(std::move(client));
  auto embedded = EmbeddedMeta::open(config.text("meta.directory"), purpose);
  if (embedded) return std::unique_ptr<Meta>(std::move(*embedded));
  if (embedded.error().code == Errc::in_use &&
      embedded.error().text.find("metad") != std::string::npos)
    return fail(Errc::unavailable, "{}; {}", embedded.error().text, answered.error().text);
  return Error(embedded.error());
}

}  // namespace postern::meta
