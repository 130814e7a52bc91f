// Submission over SMTP. libcurl makes the connection and says EHLO; the rest of the dialogue is
// ours, since libcurl has no parameters of MAIL and RCPT (RFC 3461, RFC 2852). One connection a
// message: scripts send little.
#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <memory>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "sieve/site/submit.h"

namespace postern::site {
namespace {

constexpr long kConnectLimit = 10;       // seconds
constexpr std::int64_t kLimit = 30'000;  // milliseconds
constexpr std::size_t kMostReply = 65'536;

struct Reply {
  int code = 0;
  std::string text;
};

/// A refusal as an error: what will be the same with the next try is final.
Error refusal(std::string_view of, const Reply& reply) {
  const bool final = reply.code >= 500 && reply.code < 600;
  return fail(final ? Errc::no_permission : Errc::unavailable, "{}: {}", of, reply.text);
}

std::size_t collect(const char* from, std::size_t size, std::size_t count, void* to) {
  auto& all = *static_cast<std::string*>(to);
  if (all.size() < kMostReply) all.append(from, size * count);
  return size * count;
}

/// The dialogue behind EHLO.
class Dialogue {
 public:
  Dialogue(const std::string& url, const std::string& name)
      : curl_(curl_easy_init(), &curl_easy_cleanup), deadline_(steady_millis() + kLimit) {
    if (!curl_) return;
    curl_easy_setopt(curl_.get(), CURLOPT_URL, (url + '/' + name).c_str());
    curl_easy_setopt(curl_.get(), CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl_.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl_.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_.get(), CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl_.get(), CURLOPT_CONNECTTIMEOUT, kConnectLimit);
    curl_easy_setopt(curl_.get(), CURLOPT_TIMEOUT_MS, long{kLimit});
    curl_easy_setopt(curl_.get(), CURLOPT_ERRORBUFFER, problem_);
    curl_easy_setopt(curl_.get(), CURLOPT_HEADERFUNCTION, &collect);
    curl_easy_setopt(curl_.get(), CURLOPT_HEADERDATA, &greeting_);
  }

  /// Up to the reply to EHLO. What the MTA says there is never final.
  Result<void> open() {
    if (!curl_) return fail(Errc::unavailable, "libcurl gives no handle");
    const CURLcode done = curl_easy_perform(curl_.get());
    if (done != CURLE_OK)
      return fail(Errc::unavailable, "{}",
                  problem_[0] != '\0' ? problem_ : curl_easy_strerror(done));
    curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &socket_);
    return {};
  }

  /// A line of EHLO's reply begins with this word.
  [[nodiscard]] bool offers(std::string_view keyword) const {
    return std::ranges::any_of(split(greeting_, '\n'), [&](std::string_view line) {
      if (line.size() < 4 || !line.starts_with("250")) return false;
      const auto word = line.substr(4, line.find_first_of(" =\r", 4) - 4);
      return iequals(word, keyword);
    });
  }

  Result<Reply> command(std::string_view line) {
    TRY(send(fmt::format("{}\r\n", line)));
    return reply();
  }

  Result<void> send(std::string_view octets) {
    while (!octets.empty()) {
      std::size_t sent = 0;
      const CURLcode done = curl_easy_send(curl_.get(), octets.data(), octets.size(), &sent);
      octets.remove_prefix(sent);
      if (done == CURLE_AGAIN)
        TRY(await(POLLOUT));
      else if (done != CURLE_OK)
        return fail(Errc::unavailable, "{}", curl_easy_strerror(done));
    }
    return {};
  }

  /// Reply-line *("CODE-" text) "CODE " text (RFC 5321 §4.2).
  Result<Reply> reply() {
    Reply out;
    for (;;) {
      const std::string line = TRY(read_line());
      const auto code = parse_u32(std::string_view(line).substr(0, 3));
      if (!code) return fail(Errc::unavailable, "no SMTP reply: {}", line);
      out.text += (out.text.empty() ? "" : " / ") + line;
      out.code = static_cast<int>(*code);
      if (line.size() < 4 || line[3] != '-') return out;
    }
  }

 private:
  Result<void> await(short events) {
    pollfd item{socket_, events, 0};
    const auto left = std::max<std::int64_t>(deadline_ - steady_millis(), 0);
    if (::poll(&item, 1, static_cast<int>(left)) > 0) return {};
    return fail(Errc::timed_out, "the MTA took too long");
  }

  Result<std::string> read_line() {
    for (;;) {
      if (const auto end = unread_.find('\n'); end != std::string::npos) {
        std::string line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        return line;
      }
      if (unread_.size() > kMostReply) return fail(Errc::unavailable, "a reply without end");
      char buffer[4096];
      std::size_t got = 0;
      const CURLcode done = curl_easy_recv(curl_.get(), buffer, sizeof buffer, &got);
      if (done == CURLE_AGAIN)
        TRY(await(POLLIN));
      else if (done != CURLE_OK || got == 0)
        return fail(Errc::unavailable, "the MTA closed the connection");
      unread_.append(buffer, got);
    }
  }

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  std::int64_t deadline_;  // steady milliseconds
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  std::string greeting_;  // and the reply to EHLO
  std::string unread_;
  char problem_[CURL_ERROR_SIZE] = "";
};

/// RFC 5321 §4.5.2
std::string dot_stuffed(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  bool line_start = true;
  for (const char c : text) {
    if (line_start && c == '.') out += '.';
    out += c;
    line_start = c == '\n';
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out += ".\r\n";
}

class SmtpSubmitter : public Submitter {
 public:
  SmtpSubmitter(std::string url, std::string name) : url_(std::move(url)), name_(std::move(name)) {}

  Result<void> submit(const Submission& mail) override {
    Dialogue smtp(url_, name_);
    auto done = smtp.open();
    if (done) done = talk(smtp, mail);
    if (!done) return Error{done.error().code, url_ + ": " + done.error().text};
    return {};
  }

 private:
  static std::string mail_line(const Dialogue& smtp, const Submission& mail) {
    std::string line = fmt::format("MAIL FROM:<{}>", mail.sender);
    if (smtp.offers("8BITMIME") && !is_ascii(mail.message)) line += " BODY=8BITMIME";
    if (smtp.offers("SMTPUTF8") && needs_utf8(mail)) line += " SMTPUTF8";
    if (smtp.offers("DSN") && !mail.options.ret.empty()) line += " RET=" + mail.options.ret;
    if (smtp.offers("DELIVERBY") && mail.options.deliver_by)
      line += fmt::format(" BY={};{}{}", *mail.options.deliver_by, mail.options.by_mode,
                          mail.options.by_trace ? "T" : "");
    return line;
  }
  static bool needs_utf8(const Submission& mail) {
    return !is_ascii(mail.sender) ||
           !std::ranges::all_of(mail.recipients, [](const auto& one) { return is_ascii(one); });
  }

  /// One recipient that is taken is enough; one that isn't now makes all of it wait.
  static Result<void> name_recipients(Dialogue& smtp, const Submission& mail) {
    const std::string parameters = smtp.offers("DSN") && !mail.options.notify.empty()
                                       ? " NOTIFY=" + mail.options.notify
                                       : std::string();
    std::optional<Error> refused;
    bool taken = false;
    for (const auto& one : mail.recipients) {
      const auto reply = TRY(smtp.command(fmt::format("RCPT TO:<{}>{}", one, parameters)));
      if (reply.code / 100 == 2)
        taken = true;
      else
        refused = refusal(one, reply);
      if (refused && refused->code != Errc::no_permission) return *refused;
    }
    if (!taken && refused) return *refused;
    return {};
  }

  static Result<void> talk(Dialogue& smtp, const Submission& mail) {
    if (const auto reply = TRY(smtp.command(mail_line(smtp, mail))); reply.code / 100 != 2)
      return refusal("MAIL", reply);
    TRY(name_recipients(smtp, mail));
    if (const auto reply = TRY(smtp.command("DATA")); reply.code != 354)
      return refusal("DATA", reply);
    TRY(smtp.send(dot_stuffed(mail.message)));
    if (const auto reply = TRY(smtp.reply()); reply.code / 100 != 2)
      return refusal("the message", reply);
    static_cast<void>(smtp.send("QUIT\r\n"));  // it has the message, whatever it says now
    return {};
  }

  std::string url_;
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<Submitter>> make_smtp_submitter(std::string_view url, std::string hostname) {
  while (url.ends_with('/')) url.remove_suffix(1);
  // libcurl says in EHLO what stands behind the host.
  return std::unique_ptr<Submitter>(
      std::make_unique<SmtpSubmitter>(std::string(url), std::move(hostname)));
}

}  // namespace postern::site
