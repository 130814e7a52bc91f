// Evaluator: which messages of a mailbox match a search program.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/mime/find.h"
#include "lib/search/program.h"
#include "lib/store/mailbox.h"

namespace postern::search {

class Evaluator {
 public:
  /// Both outlive the evaluator. `program` should be optimised().
  Evaluator(store::Mailbox& mailbox, const Key& program);

  /// A message whose file is gone, or damaged, matches by its columns only.
  /// @error io, corrupt  the index or its cache
  Result<bool> matches(store::RecNo record, SeqNum seqnum);

 private:
  struct Subject {
    store::RecNo record;
    SeqNum seqnum;
    std::optional<store::CachedFacts> facts;
    std::optional<store::MessageBytes> bytes;
    bool gone = false;  // no octets to be had
  };

  Result<bool> eval(const Key& key, Subject& subject);
  [[nodiscard]] bool eval_column(const Key& key, const Subject& subject) const;
  [[nodiscard]] bool has_keyword(const Key& key, store::RecNo record) const;
  Result<bool> eval_sent(const Key& key, Subject& subject);
  Result<bool> eval_header(const Key& key, Subject& subject);
  Result<bool> eval_text(const Key& key, Subject& subject);
  Result<const store::CachedFacts*> facts(Subject& subject);
  Result<std::string_view> bytes(Subject& subject);
  Result<std::string_view> header(const Key& key, Subject& subject);
  const mime::CasemapNeedle& needle(const Key& key);

  store::Mailbox& mailbox_;
  const Key& program_;
  std::map<const Key*, mime::CasemapNeedle> needles_;
};

}  // namespace postern::search
