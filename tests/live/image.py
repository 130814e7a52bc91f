"""A scratch file system for write measurements and power cuts: ext4 with a journal, in an image on a loop device.

A machine's root is often ext4 without a journal or an overlay: creating files there is many times
slower after deletions, and nothing says what survives a power cut.
"""

import fcntl
import os
import struct
import subprocess
import sys
import uuid
from pathlib import Path

# linux/fs.h (FS_IOC_SHUTDOWN): stop all writes at once, the journal's unwritten part included.
EXT4_IOC_SHUTDOWN = 0x8004587D
SHUTDOWN_NOLOGFLUSH = 2


BOOT_ID = "/proc/sys/kernel/random/boot_id"


def in_own_mount_namespace():
    """Starts this program again where its mounts are nobody else's: a power cut changes BOOT_ID.
    Ends with 77 (skipped) where that can't be, as in a chroot whose root is no mount point."""
    if os.environ.get("POSTERN_OWN_MOUNTS") != "yes":
        tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
        if tried.returncode != 0:
            print(f"skipped, no mounts of its own: {tried.stderr.strip()}")
            sys.exit(77)
        os.environ["POSTERN_OWN_MOUNTS"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


class Image:
    """Mounts a new ext4 of `gigabytes` at `folder`/mnt; unmounts and removes it at the end."""

    def __init__(self, folder, gigabytes):
        self.folder = Path(folder)
        self.file = self.folder / "ext4.img"
        self.mount_point = self.folder / "mnt"
        self.gigabytes = gigabytes
        self.boot_id = self.folder / "boot_id"  # of the kernel after the cut; bound over BOOT_ID
        self.device = None

    def __enter__(self):
        self.mount_point.mkdir(parents=True, exist_ok=True)
        run("dd", "if=/dev/zero", f"of={self.file}", "bs=4M", f"count={self.gigabytes * 256}",
            "oflag=direct", "status=none")
        run("mkfs.ext4", "-q", "-F", "-i", "4096", "-E",
            "nodiscard,lazy_itable_init=0,lazy_journal_init=0", str(self.file))
        self.device = run("losetup", "-f", "--show", "--direct-io=on", str(self.file)).strip()
        run("mount", self.device, str(self.mount_point))
        return self.mount_point

    def cut_power(self):
        """From here on nothing reaches the disk any more; every later operation fails."""
        folder = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", SHUTDOWN_NOLOGFLUSH))
        finally:
            os.close(folder)

    def restore_power(self):
        """Mounts again, which replays the journal. No process may use the file system.

        As after a real cut, the kernel has another boot id then (see in_own_mount_namespace).
        """
        run("umount", str(self.mount_point))
        run("mount", self.device, str(self.mount_point))
        if self.boot_id.exists():
            run("umount", BOOT_ID)
        self.boot_id.write_text(f"{uuid.uuid4()}\n")
        run("mount", "--bind", str(self.boot_id), BOOT_ID)

    def __exit__(self, *_):
        run("umount", "-l", str(self.mount_point))
        run("losetup", "-d", self.device)
        self.file.unlink()
        if self.boot_id.exists():
            run("umount", BOOT_ID)


def run(*command):
    """Runs `command`; returns its output, raises when it fails."""
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
