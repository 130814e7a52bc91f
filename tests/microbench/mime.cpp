// What lib/mime costs on a folder of messages held in memory: parsing, the wire forms, the section
// table, search. Prints messages and megabytes a second, the best of several rounds.
//
// usage: bench_mime FOLDER [ROUNDS]
#include "lib/base/text.h"
#include "lib/mime/find.h"
#include "lib/mime/header.h"
#include "lib/mime/imap_form.h"
#include "lib/mime/section_table.h"
#include "lib/mime/transfer.h"
#include "tests/microbench/measure.h"

using namespace postern;
using bench::measure;
using bench::Messages;

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_mime FOLDER [ROUNDS]\n");
    return 64;
  }
  const Messages messages = bench::load(argv[1]);
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 5;
  measure("parse", messages, rounds, [](const auto& m) { return mime::parse(m).parts.size(); });
  measure("parse + cache record", messages, rounds, [](const auto& m) {
    const mime::Message parsed = mime::parse(m);
    return mime::envelope(parsed).size() + mime::bodystructure(parsed).size() +
           mime::body(parsed).size() + mime::section_table(parsed).size();
  });
  measure("parse + envelope", messages, rounds,
          [](const auto& m) { return mime::envelope(mime::parse(m)).size(); });
  measure("parse + bodystructure", messages, rounds,
          [](const auto& m) { return mime::bodystructure(mime::parse(m)).size(); });
  measure("scan_header", messages, rounds,
          [](const auto& m) { return mime::scan_header(m).fields.size(); });
  const std::string_view names[] = {"From",         "To",         "Cc",         "Bcc",
                                    "Subject",      "Date",       "Message-ID", "Priority",
                                    "X-Priority",   "References", "Newsgroups", "In-Reply-To",
                                    "Content-Type", "Reply-To"};
  const mime::FieldSelector selector(names, mime::FieldSelector::Show::named);
  std::string out;
  measure("HEADER.FIELDS (14 names)", messages, rounds, [&](const auto& m) {
    out.clear();
    selector.append(m, out);
    return out.size();
  });
  measure("find_ascii_casemap", messages, rounds,
          [](const auto& m) { return mime::find_ascii_casemap(m, "not in any of them"); });
  Messages encoded;
  for (const std::string& message : messages) {
    encoded.push_back({});
    const std::string text = to_base64(message);
    for (std::size_t at = 0; at < text.size(); at += 76)
      encoded.back() += text.substr(at, 76) + "\r\n";
  }
  measure("base64", encoded, rounds,
          [](const auto& m) { return mime::decode_transfer(mime::Encoding::base64, m).size(); });
  measure("quoted-printable", messages, rounds, [](const auto& m) {
    return mime::decode_transfer(mime::Encoding::quoted_printable, m).size();
  });
  const mime::CasemapNeedle needle("not in any of them");
  measure("i;unicode-casemap", messages, rounds,
          [&](const auto& m) { return needle.in(m) ? std::size_t{1} : std::size_t{0}; });
  return 0;
}
