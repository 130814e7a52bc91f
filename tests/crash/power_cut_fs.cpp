#include "tests/crash/power_cut_fs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/store/format.h"

namespace postern::store::testing {
namespace {

constexpr std::uint64_t kSector = 512;

}  // namespace

std::string RecordingFs::relative(const std::string& path) const {
  return path.size() > root_.size() ? path.substr(root_.size() + 1) : "";
}

int RecordingFs::inode_of(int fd) const {
  const auto at = open_.find(fd);
  return at == open_.end() ? 0 : at->second;
}

void RecordingFs::look_at_maps() {
  for (auto& [inode, fd] : mapped_) {
    const std::string now = Fs::read_at(fd.get(), 0, Fs::size_of(fd.get()).value()).value();
    std::string& before = seen_[inode];
    before.resize(now.size(), '\0');
    for (std::uint64_t at = 0; at < now.size(); at += kSector) {
      const std::uint64_t n = std::min<std::uint64_t>(kSector, now.size() - at);
      if (std::memcmp(now.data() + at, before.data() + at, n) == 0) continue;
      events_.push_back({.kind = Event::Kind::write,
                         .inode = inode,
                         .path = {},
                         .other = {},
                         .number = at,
                         .bytes = now.substr(at, n)});
    }
    before = now;
  }
}

Event& RecordingFs::add(Event::Kind kind, int inode) {
  look_at_maps();
  Event& event = events_.emplace_back();
  event.kind = kind;
  event.inode = inode;
  return event;
}

Result<Fd> RecordingFs::open(const std::string& path, int flags) {
  Result<Fd> fd = Fs::open(path, flags);
  if (!fd || (flags & O_DIRECTORY) != 0) return fd;
  const std::string name = relative(path);
  const bool known = names_.contains(name);
  if (!known) {
    names_[name] = next_inode_++;
    add(Event::Kind::create, names_[name]).path = name;
  } else if ((flags & O_TRUNC) != 0) {
    add(Event::Kind::truncate, names_[name]).number = 0;
  }
  open_[fd->get()] = names_[name];
  return fd;
}

Result<void> RecordingFs::write_at(int fd, std::uint64_t offset, std::string_view bytes) {
  Event& event = add(Event::Kind::write, inode_of(fd));
  event.number = offset;
  event.bytes = bytes;
  // A mapped file may also be written by a call: that isn't a store into the map.
  auto result = Fs::write_at(fd, offset, bytes);
  if (const auto at = seen_.find(event.inode); at != seen_.end()) {
    at->second.resize(std::max<std::size_t>(at->second.size(), offset + bytes.size()));
    at->second.replace(offset, bytes.size(), bytes);
  }
  return result;
}

Result<void> RecordingFs::sync(int fd) {
  add(Event::Kind::sync, inode_of(fd));
  return {};
}
Result<void> RecordingFs::sync_data(int fd) {
  add(Event::Kind::sync_data, inode_of(fd));
  return {};
}
Result<void> RecordingFs::sync_fs(int) {
  add(Event::Kind::sync_fs);
  return {};
}

Result<void> RecordingFs::link(const std::string& from, const std::string& to) {
  auto done = Fs::link(from, to);
  if (!done) return done;
  names_[relative(to)] = names_[relative(from)];
  Event& event = add(Event::Kind::link);
  event.path = relative(from);
  event.other = relative(to);
  return done;
}

Result<void> RecordingFs::rename(const std::string& from, const std::string& to) {
  auto done = Fs::rename(from, to);
  if (!done) return done;
  names_[relative(to)] = names_[relative(from)];
  names_.erase(relative(from));
  Event& event = add(Event::Kind::rename);
  event.path = relative(from);
  event.other = relative(to);
  return done;
}

Result<void> RecordingFs::unlink(const std::string& path) {
  auto done = Fs::unlink(path);
  if (!done) return done;
  names_.erase(relative(path));
  add(Event::Kind::unlink).path = relative(path);
  return done;
}

Result<void> RecordingFs::make_directory(const std::string& path) {
  auto done = Fs::make_directory(path);
  if (done) add(Event::Kind::make_directory).path = relative(path);
  return done;
}

Result<void> RecordingFs::remove_directory(const std::string& path) {
  auto done = Fs::remove_directory(path);
  if (done) add(Event::Kind::remove_directory).path = relative(path);
  return done;
}

Result<void> RecordingFs::set_xattr(int fd, const char* name, std::string_view value) {
  add(Event::Kind::xattr, inode_of(fd)).bytes = value;
  return Fs::set_xattr(fd, name, value);
}

Result<void> RecordingFs::allocate(int fd, std::uint64_t size) {
  add(Event::Kind::allocate, inode_of(fd)).number = size;
  return Fs::allocate(fd, size);
}

Result<void> RecordingFs::truncate(int fd, std::uint64_t size) {
  add(Event::Kind::truncate, inode_of(fd)).number = size;
  return Fs::truncate(fd, size);
}

Result<void> RecordingFs::set_mtime(int fd, std::int64_t seconds) {
  add(Event::Kind::mtime, inode_of(fd)).number = static_cast<std::uint64_t>(seconds);
  return Fs::set_mtime(fd, seconds);
}

Result<char*> RecordingFs::map(int fd, std::uint64_t size, bool writable) {
  const int inode = inode_of(fd);
  bool is_lock = false;
  for (const auto& [name, number] : names_)
    is_lock = is_lock || (number == inode && name.ends_with("/lock"));
  if (writable && !is_lock && !mapped_.contains(inode)) {
    look_at_maps();
    mapped_[inode] = Fd(::dup(fd));
    seen_[inode] = Fs::read_at(fd, 0, Fs::size_of(fd).value()).value();
  }
  return Fs::map(fd, size, writable);
}

namespace {

struct Inode {
  std::string data;
  std::string xattr;
  std::int64_t mtime = 0;
};

class Disk {
 public:
  Disk(const std::vector<Event>& events, std::size_t count, std::mt19937& random)
      : events_(events), count_(count), random_(random) {}

  void write(const std::string& root) {
    choose_journal();
    for (std::size_t i = 0; i < journal_; ++i) metadata(events_[i]);
    for (auto& [number, inode] : inodes_) fill(number, inode);
    for (const std::string& name : directories_) ::mkdir((root + "/" + name).c_str(), 0700);
    std::map<int, std::string> written;
    for (const auto& [name, number] : names_) {
      const std::string path = root + "/" + name;
      if (const auto first = written.find(number); first != written.end()) {
        ASSERT(::link(first->second.c_str(), path.c_str()) == 0);
        continue;
      }
      written[number] = path;
      put(path, name.ends_with("/lock") ? Inode{} : inodes_[number]);
    }
  }

 private:
  void choose_journal() {
    std::size_t least = 0;
    for (std::size_t i = 0; i < count_; ++i)
      if (events_[i].kind == Event::Kind::sync || events_[i].kind == Event::Kind::sync_fs)
        least = i + 1;
    journal_ = std::uniform_int_distribution<std::size_t>(least, count_)(random_);
    if (coin() && coin()) journal_ = coin() ? least : count_;
    lazy_ = coin() && coin();
  }

  bool coin() { return (random_() & 1) != 0; }

  void metadata(const Event& event) {
    switch (event.kind) {
      case Event::Kind::create:
        names_[event.path] = event.inode;
        inodes_[event.inode];
        break;
      case Event::Kind::make_directory:
        directories_.insert(event.path);
        break;
      case Event::Kind::link:
        names_[event.other] = names_[event.path];
        break;
      case Event::Kind::rename:
        names_[event.other] = names_[event.path];
        names_.erase(event.path);
        break;
      case Event::Kind::unlink:
        names_.erase(event.path);
        break;
      case Event::Kind::remove_directory:
        directories_.erase(event.path);
        break;
      case Event::Kind::xattr:
        inodes_[event.inode].xattr = event.bytes;
        break;
      case Event::Kind::mtime:
        inodes_[event.inode].mtime = static_cast<std::int64_t>(event.number);
        break;
      default:
        break;
    }
  }

  // Each sector holds what it held at some moment between the last sync of its file and the cut.
  void fill(int number, Inode& inode) {
    std::size_t synced = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const Event& event = events_[i];
      const bool own = event.inode == number &&
                       (event.kind == Event::Kind::sync || event.kind == Event::Kind::sync_data);
      if (own || event.kind == Event::Kind::sync_fs) synced = i;
    }
    const std::size_t stop = count_;
    std::string& data = inode.data;
    std::uint64_t durable = 0;
    std::map<std::uint64_t, std::size_t> until;  // sector to the last event that it shows
    for (std::size_t i = 0; i < stop; ++i) {
      const Event& event = events_[i];
      if (event.inode != number) continue;
      if (event.kind == Event::Kind::truncate && (i < journal_ || i < synced)) {
        data.resize(event.number, '\0');
      } else if (event.kind == Event::Kind::allocate && (i < journal_ || i < synced)) {
        data.resize(std::max<std::uint64_t>(data.size(), event.number), '\0');
      } else if (event.kind == Event::Kind::write) {
        one_write(event, i, synced, data, until);
      }
      if (i < synced) durable = data.size();
      if ((event.kind == Event::Kind::truncate || event.kind == Event::Kind::allocate) &&
          i < journal_)
        durable = data.size();
    }
    if (coin() && data.size() > durable) data.resize(durable);
  }

  void one_write(const Event& event, std::size_t i, std::size_t synced, std::string& data,
                 std::map<std::uint64_t, std::size_t>& until) {
    for (std::uint64_t at = event.number; at < event.number + event.bytes.size();) {
      const std::uint64_t sector = at / kSector;
      const std::uint64_t end = std::min(event.number + event.bytes.size(), (sector + 1) * kSector);
      if (i >= synced) {
        if (!until.contains(sector))
          until[sector] = lazy_
                              ? (coin() && coin() && coin() ? count_ : 0)
                              : std::uniform_int_distribution<std::size_t>(synced, count_)(random_);
        if (i >= until[sector]) {
          at = end;
          continue;
        }
      }
      if (data.size() < end) data.resize(end, '\0');
      data.replace(at, end - at, event.bytes, at - event.number, end - at);
      at = end;
    }
  }

  static void put(const std::string& path, const Inode& inode) {
    Fs kernel;
    const Fd fd = std::move(kernel.open(path, O_RDWR | O_CREAT).value());
    (void)kernel.write_at(fd.get(), 0, inode.data);
    if (!inode.xattr.empty()) (void)kernel.set_xattr(fd.get(), kXattr, inode.xattr);
    (void)kernel.set_mtime(fd.get(), inode.mtime);
  }

  const std::vector<Event>& events_;
  std::size_t count_;
  std::mt19937& random_;
  std::size_t journal_ = 0;
  bool lazy_ = false;
  std::map<std::string, int> names_;
  std::map<int, Inode> inodes_;
  std::set<std::string> directories_;
};

}  // namespace

void materialise(const std::vector<Event>& events, std::size_t count, std::mt19937& random,
                 const std::string& root) {
  Disk(events, count, random).write(root);
}

}  // namespace postern::store::testing
