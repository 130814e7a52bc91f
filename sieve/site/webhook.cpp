#include "sieve/site/webhook.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"

namespace postern::site {
namespace {

constexpr long kConnectLimit = 5;  // seconds
constexpr long kLimit = 10;        // seconds
constexpr std::size_t kMostOctets = 8192;

bool starts_with_url(std::string_view url, std::string_view prefix) {
  if (!istarts_with(url, prefix)) return false;
  // "https://a.example" must not open "https://a.example.net".
  return prefix.ends_with('/') || url.size() == prefix.size() ||
         std::string_view("/?#").find(url[prefix.size()]) != std::string_view::npos;
}

/// What a server could take for a way out of the prefix's path.
bool has_tricks(std::string_view url) {
  const std::string folded = to_lower(url);
  return folded.find("..") != std::string::npos || folded.find("%2e") != std::string::npos ||
         folded.find('\\') != std::string::npos || folded.find('@') != std::string::npos;
}

std::size_t ignore(const char*, std::size_t size, std::size_t count, void*) { return size * count; }

struct Freed {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

bool webhook_allowed(const std::vector<std::string>& prefixes, std::string_view url) {
  return url.size() <= kMostOctets && !has_tricks(url) &&
         std::ranges::any_of(prefixes, [&](const auto& one) { return starts_with_url(url, one); });
}

std::string webhook_json(const sieve::Notify& notify, const WebhookFacts& facts) {
  nlohmann::ordered_json json{{"user", facts.user},
                              {"recipient", facts.recipient},
                              {"sender", facts.sender},
                              {"from", notify.from},
                              {"subject", notify.subject},
                              {"message", notify.message},
                              {"importance", notify.importance},
                              {"options", nlohmann::ordered_json::object()}};
  for (const auto& option : notify.options) {
    const auto equals = std::min(option.find('='), option.size());
    json["options"][option.substr(0, equals)] = option.substr(std::min(equals + 1, option.size()));
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<void> post_json(const std::string& url, const std::string& json) {
  const std::unique_ptr<CURL, Freed> curl(curl_easy_init());
  const std::unique_ptr<curl_slist, Freed> fields(
      curl_slist_append(nullptr, "Content-Type: application/json; charset=utf-8"));
  if (!curl || !fields) return fail(Errc::unavailable, "libcurl gives no handle");
  char problem[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl.get(), CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, kConnectLimit);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kLimit);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, problem);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "Postern");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(json.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, json.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &ignore);
  const CURLcode done = curl_easy_perform(curl.get());
  if (done != CURLE_OK)
    return fail(Errc::unavailable, "{}: {}", url,
                problem[0] != '\0' ? problem : curl_easy_strerror(done));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {};
  return fail(status >= 400 && status < 500 ? Errc::no_permission : Errc::unavailable,
              "{}: HTTP status {}", url, status);
}

}  // namespace postern::site
