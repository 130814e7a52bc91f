// Submission over SMTP, with libcurl. One connection a message: scripts send little.
#include <curl/curl.h>

#include <algorithm>
#include <cstring>

#include "sieve/site/submit.h"

namespace postern::site {
namespace {

constexpr long kConnectLimit = 10;  // seconds
constexpr long kLimit = 30;         // seconds

struct Reading {
  std::string_view rest;
};

std::size_t read_some(char* to, std::size_t size, std::size_t count, void* from) {
  auto& rest = static_cast<Reading*>(from)->rest;
  const std::size_t n = std::min(size * count, rest.size());
  std::memcpy(to, rest.data(), n);
  rest.remove_prefix(n);
  return n;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

class SmtpSubmitter : public Submitter {
 public:
  explicit SmtpSubmitter(std::string url) : url_(std::move(url)) {}

  Result<void> submit(const Submission& mail) override {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                   &curl_easy_cleanup);
    if (!curl) return fail(Errc::unavailable, "libcurl has no memory");
    List recipients;
    for (const auto& one : mail.recipients) {
      curl_slist* grown = curl_slist_append(recipients.get(), ('<' + one + '>').c_str());
      if (grown == nullptr) return fail(Errc::unavailable, "libcurl has no memory");
      (void)recipients.release();
      recipients.reset(grown);
    }
    char problem[CURL_ERROR_SIZE] = "";
    Reading reading{mail.message};
    set_up(curl.get(), mail, recipients.get(), reading, problem);
    const CURLcode done = curl_easy_perform(curl.get());
    if (done == CURLE_OK) return {};
    long reply = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply);
    // A connection that broke keeps the code of the last reply: only what SMTP said counts.
    const bool refused = reply >= 500 && reply < 600;
    return fail(refused ? Errc::no_permission : Errc::unavailable, "{}: {} (last reply {})", url_,
                problem[0] != '\0' ? problem : curl_easy_strerror(done), reply);
  }

 private:
  void set_up(CURL* curl, const Submission& mail, curl_slist* recipients, Reading& reading,
              char* problem) const {
    const std::string sender = '<' + mail.sender + '>';
    curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectLimit);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, kLimit);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.message.size()));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &read_some);
    curl_easy_setopt(curl, CURLOPT_READDATA, &reading);
  }

  std::string url_;
};

}  // namespace

Result<std::unique_ptr<Submitter>> make_smtp_submitter(std::string_view url, std::string hostname) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(Errc::unavailable, "libcurl doesn't start");
  while (url.ends_with('/')) url.remove_suffix(1);
  // libcurl says in EHLO what stands behind the host.
  return std::unique_ptr<Submitter>(
      std::make_unique<SmtpSubmitter>(std::string(url) + '/' + std::move(hostname)));
}

}  // namespace postern::site
