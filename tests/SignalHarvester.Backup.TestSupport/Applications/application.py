"""
An application with a database in WAL mode, for tests: a process of its own with an SQLite of its own. It reads commands from
standard input, a JSON object a line, and answers each with one line. Application.cs drives it.

Its transactions can be recognised in any image of the database. Each adds a row to the ledger: its number and a digest of all
items as it left them. An item's body is determined by its id, version and size. The journal, a file beside the database, has a
record of each transaction, written under SQLite's write lock right before the commit: all records but the last are committed, and
a later transaction of the same number takes the place of one that was not.
"""
import ctypes
import hashlib
import json
import os
import random
import signal
import sqlite3
import struct
import sys
import time

RECORD = struct.Struct("<qqdd")  # number, digest, time before the commit, time after it (0: not known to be committed)
MASK = (1 << 62) - 1
FILE_POINTER = 7  # SQLITE_FCNTL_FILE_POINTER
SHM_MAP, SHM_LOCK, UNFETCH, METHODS = 12, 13, 17, 18  # places in sqlite3_io_methods, after its version
HEADER = 136  # two copies of the wal-index header, and the state of checkpoints


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def body(item, version, size):
    """The only right content of an item; half of it can be compressed."""
    return hashlib.shake_128(b"%d:%d" % (item, version)).digest(size - size // 2) + bytes(size // 2)


def mark(item, version, size):
    """What an item adds to the digest."""
    return int.from_bytes(hashlib.blake2b(b"%d:%d:%d" % (item, version, size), digest_size=8).digest(), "little") & MASK


class Journal:
    """The application's own record of its transactions."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def before(self, number, digest):
        # Later records are of a future that a restored database does not have.
        os.ftruncate(self.file, (number - 1) * RECORD.size)
        os.pwrite(self.file, RECORD.pack(number, digest, time.time(), 0), (number - 1) * RECORD.size)

    def after(self, number):
        # Another process can have written the next record by now, but not this one.
        os.pwrite(self.file, struct.pack("<d", time.time()), (number - 1) * RECORD.size + 24)


class SqliteFile:
    """SQLite's own object of the open database, with its functions of the wal-index."""

    def __init__(self, connection):
        # A library that was loaded ahead of the system's own one is among the process's global names, and only that one is in use.
        library = ctypes.CDLL(None)
        if not hasattr(library, "sqlite3_file_control"):
            library = ctypes.CDLL(sys.modules["_sqlite3"].__file__)
        # The connection's handle is the first field of Python's object.
        database = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__)
        pointer = ctypes.c_void_p()
        if library.sqlite3_file_control(database, b"main", FILE_POINTER, ctypes.byref(pointer)) != 0:
            raise RuntimeError("SQLite does not give its file object")
        self.file = pointer.value
        self.methods = ctypes.c_void_p.from_address(self.file)
        self.table = ctypes.string_at(self.methods.value, 8 + 8 * METHODS)
        self.lock_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int)
        self.map_type = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p))
        self.unfetch_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self.shm_lock = self.lock_type(self.method(SHM_LOCK))
        self.unfetch = self.unfetch_type(self.method(UNFETCH))
        self.stops = []
        self.hooks = None

    def method(self, place):
        return struct.unpack_from("<Q", self.table, 8 + 8 * place)[0]

    def lock(self, slot, count, flags):
        return self.shm_lock(self.file, slot, count, flags)

    def index(self):
        """The wal-index's first page, as the connection has it mapped."""
        page = ctypes.c_void_p()
        code = self.map_type(self.method(SHM_MAP))(self.file, 0, 32768, 0, ctypes.byref(page))
        if code != 0 or not page.value:
            raise RuntimeError("SQLite has no wal-index here (%d)" % code)
        return (ctypes.c_char * 32768).from_address(page.value)

    def stop(self, call, skip):
        """Stops the process before one of its calls of SQLite's file object, until it is told to go on."""
        self.stops.append([call, skip])
        if self.hooks is None:
            self.hooks = {SHM_LOCK: self.lock_type(self.on_lock), UNFETCH: self.unfetch_type(self.on_unfetch)}
            changed = bytearray(self.table)
            for place, hook in self.hooks.items():
                struct.pack_into("<Q", changed, 8 + 8 * place, ctypes.cast(hook, ctypes.c_void_p).value)
            self.changed = ctypes.create_string_buffer(bytes(changed), len(changed))
            self.methods.value = ctypes.addressof(self.changed)

    def look(self, call):
        for stop in self.stops:
            if stop[0] == call:
                stop[1] -= 1
                if stop[1] < 0:
                    self.stops.remove(stop)
                    say({"stopped": call})
                    sys.stdin.readline()
                return

    def on_lock(self, file, slot, count, flags):
        self.look([slot, flags])
        return self.shm_lock(file, slot, count, flags)

    def on_unfetch(self, file, offset, page):
        self.look([])
        return self.unfetch(file, offset, page)


class Application:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options["seed"])
        self.journal = Journal(options["journal"])
        self.database = None
        self.file = None

    def sql(self, text, *values):
        return self.database.execute(text, values).fetchall()

    # The commands.

    def open(self):
        text = "file:" + "".join(chr(c) if c < 128 and chr(c).isalnum() or c == ord("/") else "%%%02x" % c for c in os.fsencode(self.options["path"]))
        self.database = sqlite3.connect(
            text + "?" + self.options["uri"], uri=True, isolation_level=None, timeout=self.options["busy"] / 1000, cached_statements=0)
        for pragma in self.options["pragmas"]:
            self.sql("PRAGMA " + pragma)
        return None

    def close(self):
        self.database.close()
        self.database = self.file = None
        return None

    def execute(self, sql):
        return [[value.hex() if isinstance(value, bytes) else value for value in row] for row in self.sql(sql)]

    def checkpoint(self, mode):
        return self.sql("PRAGMA wal_checkpoint(%s)" % mode)[0]

    def lock(self, slot, count, flags):
        return self.sqlite_file().lock(slot, count, flags)

    def header(self):
        return bytes(self.sqlite_file().index()[:HEADER]).hex()

    def stop(self, call, skip):
        """A call is a slot and flags of xShmLock, or nothing: xUnfetch, which comes right after a new header was read."""
        self.sqlite_file().stop(call, skip)
        return None

    def tear(self):
        """Dies in the middle of writing the wal-index header: its two copies differ from now on."""
        self.sqlite_file().index()[8] = bytes([self.sqlite_file().index()[8][0] ^ 1])
        self.die()

    def die(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def work(self, count, most):
        """Runs transactions; what is locked or busy is counted and not tried again."""
        done = {"committed": 0, "rolled_back": 0, "refused": 0, "last": 0}
        for _ in range(count):
            try:
                number = self.transaction(most)
            except sqlite3.OperationalError as error:
                # A commit, too, can be refused, and leaves its transaction open.
                if self.database.in_transaction:
                    self.sql("ROLLBACK")
                if getattr(error, "sqlite_errorcode", 5) & 0xFF not in (5, 6):
                    raise
                done["refused"] += 1
                continue
            if number is None:
                done["rolled_back"] += 1
            else:
                done["committed"] += 1
                done["last"] = number
        return done

    def check(self, path):
        """Reads an image: complete in itself, and with the digest that its last transaction gave it?"""
        database = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            # One snapshot, where somebody else writes meanwhile.
            database.execute("BEGIN")
            problems = [row[0] for row in database.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
            ledger = database.execute("SELECT id, digest FROM ledger ORDER BY id").fetchall()
            if [row[0] for row in ledger] != list(range(1, len(ledger) + 1)):
                problems.append("the ledger has a hole or a repetition")
            digest = 0
            for item, version, content in database.execute("SELECT id, version, body FROM item"):
                if content != body(item, version, len(content)):
                    problems.append("item %d is not as any transaction wrote it" % item)
                digest = (digest + mark(item, version, len(content))) & MASK
            if ledger and ledger[-1][1] != digest:
                problems.append("the items are not those of transaction %d" % ledger[-1][0])
            return {"problems": problems[:20], "digests": [row[1] for row in ledger]}
        finally:
            database.close()

    # What they are made of.

    def sqlite_file(self):
        if self.file is None:
            self.sql("SELECT count(*) FROM sqlite_master")
            self.file = SqliteFile(self.database)
        return self.file

    def prepare(self):
        """Makes the tables, in the first of the processes that come."""
        self.sql("BEGIN IMMEDIATE")
        self.sql("CREATE TABLE IF NOT EXISTS ledger(id INTEGER PRIMARY KEY, digest INTEGER NOT NULL)")
        self.sql("CREATE TABLE IF NOT EXISTS item(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL)")
        self.sql("CREATE INDEX IF NOT EXISTS item_version ON item(version, id)")
        self.sql("COMMIT")

    def transaction(self, most):
        """One transaction of a random mix; returns its number, or None if it was rolled back."""
        self.sql("BEGIN IMMEDIATE")
        last, digest = (self.sql("SELECT id, digest FROM ledger ORDER BY id DESC LIMIT 1") or [(0, 0)])[0]
        number = last + 1
        changes = 1 if self.random.random() < 0.5 else self.random.randint(1, most)
        for _ in range(changes):
            if self.random.random() < 0.2:
                self.sql("SAVEPOINT part")
                inner = self.change(number, digest)
                if self.random.random() < 0.5:
                    self.sql("ROLLBACK TO part")
                else:
                    digest = inner
                self.sql("RELEASE part")
            else:
                digest = self.change(number, digest)
        if self.random.random() < 0.05:
            self.sql("ROLLBACK")
            return None
        self.sql("INSERT INTO ledger VALUES (?, ?)", number, digest)
        self.journal.before(number, digest)
        self.sql("COMMIT")
        self.journal.after(number)
        return number

    def change(self, number, digest):
        """Inserts, changes or deletes an item; returns the digest of all of them afterwards."""
        choice = self.random.random()
        least, greatest = self.sql("SELECT min(id), max(id) FROM item")[0]
        if choice < 0.4 or least is None:
            return self.put((greatest or 0) + 1, number, digest)
        item, version, size = self.sql(
            "SELECT id, version, length(body) FROM item WHERE id >= ? ORDER BY id LIMIT 1", self.random.randint(least, greatest))[0]
        digest = (digest - mark(item, version, size)) & MASK
        if choice < 0.7:
            return self.put(item, number, digest)
        self.sql("DELETE FROM item WHERE id = ?", item)
        return digest

    def put(self, item, number, digest):
        # Now and then one that does not fit into a small cache, which then spills into the log before the commit.
        size = self.random.randint(20_000, 200_000) if self.random.random() < 0.03 else self.random.randint(10, 600)
        self.sql("INSERT OR REPLACE INTO item VALUES (?, ?, ?)", item, number, body(item, number, size))
        return (digest + mark(item, number, size)) & MASK


def main():
    application = Application(json.loads(sys.argv[1]))
    if application.options["open"]:
        application.open()
        application.prepare()
    say({"version": sqlite3.sqlite_version})
    while True:
        # Not by iteration, which reads ahead of what a stopped call waits for.
        line = sys.stdin.readline()
        if not line:
            return
        command = json.loads(line)
        start = time.perf_counter()
        answer = {}
        try:
            answer["value"] = getattr(application, command.pop("do"))(**command)
        except sqlite3.Error as error:
            answer["error"] = str(error)
            answer["code"] = getattr(error, "sqlite_errorcode", 0)
        answer["seconds"] = time.perf_counter() - start
        say(answer)


main()
