using System.Diagnostics;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous;

public sealed class LogHolderTests
{
    private const string Writer = """
        import random, sqlite3, sys, time, os
        path, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
        random.seed(seed)
        def connect():
            c = sqlite3.connect(path, timeout=5, isolation_level=None)
            c.execute('PRAGMA synchronous=%s' % random.choice(['NORMAL', 'FULL']))
            c.execute('PRAGMA cache_size=%d' % random.choice([5, 200]))
            c.execute('PRAGMA wal_autocheckpoint=%d' % random.choice([0, 10, 1000]))
            return c
        c = connect()
        end = time.time() + seconds
        n = 0
        busy = 0
        while time.time() < end:
            r = random.random()
            try:
                if r < 0.85:
                    c.execute('BEGIN IMMEDIATE')
                    for i in range(random.choice([1, 1, 1, 20, 200])):
                        c.execute('INSERT INTO t(b) VALUES (?)', (os.urandom(random.choice([10, 300, 9000])),))
                    if random.random() < 0.5:
                        c.execute('SAVEPOINT s'); c.execute('UPDATE t SET b = ? WHERE id % 37 = 3', (os.urandom(20),)); c.execute('ROLLBACK TO s'); c.execute('RELEASE s')
                    c.execute('DELETE FROM t WHERE id < (SELECT max(id) - 400 FROM t)')
                    if random.random() < 0.1: c.execute('ROLLBACK')
                    else: c.execute('COMMIT'); n += 1
                elif r < 0.95:
                    c.execute('PRAGMA wal_checkpoint(%s)' % random.choice(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']))
                elif r < 0.96: c.execute('VACUUM'); n += 1
                elif r < 0.97: c.execute('PRAGMA incremental_vacuum(3)').fetchall()
                elif r < 0.99: c.close(); c = connect()
                else: time.sleep(random.choice([0.05, 0.2, 0.4]))
            except sqlite3.OperationalError as e:
                busy += 1
                if c.in_transaction: c.execute('ROLLBACK')
        c.close()
        print(n, busy)
        """;

    [Fact]
    public void Several_writers_with_every_checkpoint_mode_are_followed_without_a_gap()
    {
        var python = Tool.Find("python3");
        using var folder = new TempFolder();
        var path = folder.File("app.db");
        File.WriteAllText(folder.File("writer.py"), Writer);
        Process.Start("/usr/bin/python3", ["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('PRAGMA auto_vacuum=2'); c.execute('PRAGMA journal_mode=WAL'); c.execute('CREATE TABLE t(id INTEGER PRIMARY KEY, b)'); c.commit(); c.close()", path])!.WaitForExit();
        var sink = new FollowedImage(4096, File.ReadAllBytes(path));
        var holder = LogHolder.Open(path, sink, new HolderOptions(), TimeProvider.System);
        _ = holder.Begin(null, null);
        var seconds = Environment.GetEnvironmentVariable("SECS") ?? "5";
        var writers = Enumerable.Range(0, 3).Select(i => Process.Start(new ProcessStartInfo("/usr/bin/python3", [folder.File("writer.py"), path, seconds, (i + Environment.TickCount).ToString()]) { RedirectStandardOutput = true })!).ToList();
        var rests = 0;
        var last = HolderState.Open;
        while (writers.Exists(w => !w.HasExited))
        {
            holder.Look();
            if (holder.State == HolderState.Rest && last != HolderState.Rest)
            {
                rests++;
            }

            last = holder.State;
            Thread.Sleep(last == HolderState.Rest ? 20 : 5);
        }

        for (var i = 0; i < 50 && holder.State != HolderState.Rest; i++)
        {
            holder.Look();
            Thread.Sleep(20);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"state {holder.State} rests {rests} commits {sink.Commits} writers {string.Join(" | ", writers.Select(w => w.StandardOutput.ReadToEnd().Trim()))}");
        holder.Close();
        Assert.Empty(sink.Gaps);
        Assert.False(File.Exists(path + "-wal"));
        Assert.Equal(ImageHash.Of(path), Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(sink.Image)));
    }
}
