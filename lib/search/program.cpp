// Search programs: order of evaluation.
#include "lib/search/program.h"

#include <algorithm>

#include "lib/store/mailbox.h"

namespace postern::search {

int cost_of(const Key& key) {
  switch (key.op) {
    case Key::Op::header:
      return store::header_is_cached(key.name) ? 1 : 2;
    case Key::Op::sent_before:
    case Key::Op::sent_on:
    case Key::Op::sent_since:
      return 1;
    case Key::Op::body:
    case Key::Op::text:
      return 2;
    case Key::Op::not_:
    case Key::Op::or_:
    case Key::Op::and_:
      break;
    default:
      return 0;
  }
  int most = 0;
  for (const Key& child : key.children) most = std::max(most, cost_of(child));
  return most;
}

Key optimised(Key key) {
  std::vector<Key> children;
  for (Key& child : key.children) {
    Key better = optimised(std::move(child));
    const bool same = better.op == key.op && (key.op == Key::Op::and_ || key.op == Key::Op::or_);
    if (same)
      std::move(better.children.begin(), better.children.end(), std::back_inserter(children));
    else
      children.push_back(std::move(better));
  }
  std::stable_sort(children.begin(), children.end(),
                   [](const Key& a, const Key& b) { return cost_of(a) < cost_of(b); });
  key.children = std::move(children);
  return key;
}

bool uses(const Key& key, Key::Op op) {
  return key.op == op || std::any_of(key.children.begin(), key.children.end(),
                                     [op](const Key& child) { return uses(child, op); });
}

}  // namespace postern::search
