// Generates mail with the header fields that a user's message has after a few hops.
#include "tests/bench/load/message.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

namespace postern::bench {
namespace {

constexpr std::array<std::string_view, 8> kNames{"Anna Berg",   "Ben Okafor", "Chiara Rossi",
                                                 "Dmitri Ivan", "Eva Lind",   "Farid Haddad",
                                                 "Grace Hu",    "Hugo Meyer"};
constexpr std::array<std::string_view, 16> kWords{
    "meeting", "report", "budget", "please", "invoice", "tomorrow", "project", "schedule",
    "server",  "update", "review", "thanks", "weekend", "travel",   "release", "question"};

std::string_view name_at(std::size_t n) { return kNames[n % kNames.size()]; }

std::string trace_fields(std::size_t n) {
  std::string fields;
  for (std::size_t hop = 0; hop < 3; ++hop)
    fields += fmt::format(
        "Received: from relay{}.example.net (relay{}.example.net [192.0.2.{}])\r\n"
        "\tby mx{}.example.org (Postfix) with ESMTPS id {:010X}\r\n"
        "\tfor <user@example.org>; Tue, {} Mar 2026 {:02}:{:02}:17 +0100 (CET)\r\n",
        hop, hop, n % 250, hop, n * 7 + hop, 1 + n % 28, n % 24, n % 60);
  return fields;
}

std::string common_header(std::size_t n) {
  return trace_fields(n) +
         fmt::format(
             "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=mail;\r\n"
             "\tt=17{:08}; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n"
             "\th=From:To:Cc:Subject:Date:Message-ID:From;\r\n"
             "From: {} <user{}@example.net>\r\n"
             "To: {} <user{}@example.org>, {} <user{}@example.org>\r\n"
             "Cc: \"{}, Sales\" <sales{}@example.com>\r\n"
             "Subject: Re: {} {} {}\r\n"
             "Date: Tue, {:02} Mar 2026 {:02}:{:02}:11 +0100\r\n"
             "Message-ID: <{}.{:x}@example.net>\r\n"
             "In-Reply-To: <{}.parent@example.net>\r\n"
             "References: <{}.root@example.net>\r\n <{}.parent@example.net>\r\n"
             "X-Mailer: Example Mail 4.2\r\nMIME-Version: 1.0\r\n",
             n % 100000000, name_at(n), n % 97, name_at(n + 1), n % 89, name_at(n + 2), n % 83,
             name_at(n + 3), n % 11, kWords[n % 16], kWords[n / 16 % 16], n, 1 + n % 28, n % 24,
             n % 60, n, n * 2654435761U, n, n / 10, n);
}

/// The word of that rank: the rarer, the longer.
std::string word_of_rank(std::size_t rank) {
  constexpr std::array<std::string_view, 16> kSyllables{"the", "an", "to", "in", "er", "re",
                                                        "con", "is", "mu", "ta", "lo", "ing",
                                                        "pre", "ed", "so", "vi"};
  std::string word;
  for (; rank > 0; rank /= kSyllables.size()) word += kSyllables[rank % kSyllables.size()];
  return word;
}

/// Zipf's law: a word of twice the rank is half as frequent.
std::string prose_word(std::size_t& state) {
  constexpr double kWordsKnown = 8000;
  state = state * 6364136223846793005U + 1442695040888963407U;
  const double chance = static_cast<double>(state >> 11U) / static_cast<double>(1ULL << 53U);
  return word_of_rank(static_cast<std::size_t>(std::pow(kWordsKnown, chance)));
}

/// Lines of words, exactly `size` octets (at least 2), ending in CRLF.
std::string text_of(std::size_t n, std::size_t size, Text kind) {
  std::string text;
  std::size_t state = n;
  text.reserve(size + 80);
  std::size_t line_start = 0;
  for (std::size_t i = n; text.size() < size; i = i * 5 + 3) {
    text += kind == Text::prose ? prose_word(state) : std::string{kWords[(i >> 3U) % 16]};
    if (text.size() - line_start > 66) {
      text += "\r\n";
      line_start = text.size();
    } else {
      text += ' ';
    }
  }
  text.resize(size - 2);
  if (text.ends_with('\r')) text.back() = ' ';
  return text + "\r\n";
}

std::string base64_of(std::size_t n, std::size_t size) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::size_t state = n + 1;
  while (text.size() + 78 <= size) {
    for (int i = 0; i < 76; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += kAlphabet[state >> 58U];
    }
    text += "\r\n";
  }
  return text;
}

std::string multipart(std::size_t n, std::size_t size, bool attachment, Text text) {
  const std::string boundary = fmt::format("=_part_{}_{:x}", n, n * 40503);
  const std::string opening =
      fmt::format("{}Content-Type: multipart/{};\r\n\tboundary=\"{}\"\r\n\r\n", common_header(n),
                  attachment ? "mixed" : "alternative", boundary);
  const std::string second =
      attachment ? base64_of(n, size / 2)
                 : "<html><body>\r\n" + text_of(n + 5, size / 3, text) + "</body></html>\r\n";
  const std::string middle = fmt::format(
      "\r\n--{}\r\n{}\r\n{}\r\n--{}--\r\n", boundary,
      attachment ? "Content-Type: application/pdf; name=\"report.pdf\"\r\nContent-Disposition: "
                   "attachment;\r\n\tfilename=\"report.pdf\"\r\nContent-Transfer-Encoding: "
                   "base64\r\n"
                 : "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n",
      second, boundary);
  const std::string first = fmt::format(
      "--{}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
      boundary);
  const std::size_t used = opening.size() + first.size() + middle.size();
  return opening + first + text_of(n, size - used, text) + middle;
}

}  // namespace

std::string make_message(std::size_t number, std::size_t size, Text text) {
  if (number % 4 == 1) return multipart(number, size, false, text);
  if (number % 4 == 3) return multipart(number, size, true, text);
  std::string header = common_header(number);
  header += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
  const std::size_t used = header.size();
  return header + text_of(number, size - used, text);
}

}  // namespace postern::bench
