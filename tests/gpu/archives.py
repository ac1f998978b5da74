"""The pack's archives, each made again only where what it is made of has changed."""
import json
import tarfile


def state_of(files):
    """{name in the archive: path} as text that changes with any of them."""
    stats = {name: path.stat() for name, path in files.items()}
    return "".join(f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in sorted(stats.items()))


class Pack:
    """A folder of archives, and contents.json: "archives" by name, with "bytes" and what each is made
    "of", and whatever else `save` is given."""

    def __init__(self, folder):
        self.folder = folder
        self.index = folder / "contents.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.old = json.loads(self.index.read_text())["archives"] if self.index.exists() else {}
        self.archives = {}

    def put(self, name, files):
        """{name in the archive: path}; True if it had to be written."""
        state, path = state_of(files), self.folder / name
        fresh = path.exists() and self.old.get(name, {}).get("of") == state
        if not fresh:
            path.unlink(missing_ok=True)
            with tarfile.open(path, "w:xz", preset=6, dereference=True) as archive:
                for inside, file in sorted(files.items()):
                    archive.add(file, inside)
        self.archives[name] = {"bytes": path.stat().st_size, "of": state}
        return not fresh

    def save(self, **more):
        """Also removes what is no longer among the archives. Returns their bytes."""
        for path in self.folder.glob("*.tar.xz"):
            if path.name not in self.archives:
                path.unlink()
        self.index.write_text(json.dumps({"archives": self.archives, **more}, indent=2) + "\n")
        return sum(archive["bytes"] for archive in self.archives.values())
