using CsCheck;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Chains;

/// <summary>
/// Whatever happens to a database, to its digest cache and to its backups: each remaining backup restores exactly the image of its
/// moment.
/// </summary>
public sealed class ChainPropertyTests
{
    private static readonly Gen<int> Seed = Gen.Int[0, 1_000_000];

    private static readonly Gen<Step> DatabaseSteps = Gen.Frequency(
        (10, Gen.Select(Gen.Int[1, 40], Seed).Select((rows, seed) => new Step($"insert {rows} rows, seed {seed}", world => world.Insert(rows, seed)))),
        (12,
            Gen.Select(Gen.Int[1, 40], Seed)
                .Select((every, seed) => Sql($"UPDATE t SET v = noise({seed} + id, length(v)), k = k + 1 WHERE id % {every} = {seed} % {every}"))),
        (4, Seed.Select(seed => Sql($"UPDATE t SET k = {seed} WHERE id = (SELECT max(id) FROM t)"))),
        (5, Gen.Select(Gen.Int[2, 10], Seed).Select((every, seed) => Sql($"DELETE FROM t WHERE id % {every} = {seed} % {every}"))),
        (4, Gen.Int[1, 40].Select(rows => Sql($"DELETE FROM t WHERE id > (SELECT max(id) FROM t) - {rows}"))),
        (1, Gen.Const(Sql($"DELETE FROM t"))),
        (4, Gen.Const(Sql($"VACUUM"))),
        (4, Gen.Int[1, 30].Select(pages => Sql($"PRAGMA incremental_vacuum({pages})"))),
        (1, Gen.Int[0, 2].Select(kind => Sql($"PRAGMA auto_vacuum = {kind}; VACUUM"))),
        (4, Seed.Select(version => Sql($"PRAGMA user_version = {version}"))),
        (2, Seed.Select(number => Sql($"CREATE TABLE x{number} AS SELECT id, k, substr(v, 1, 20) FROM t; CREATE INDEX y{number} ON x{number}(k)"))),
        (1, Seed.Select(number => Sql($"ALTER TABLE t ADD COLUMN c{number} DEFAULT 'c'"))),
        (1, Gen.Const(Sql($"DROP INDEX IF EXISTS t_k"))),
        (3, Gen.Select(Gen.Int[1, 40], Seed).Select(
            (rows, seed) => Sql($"PRAGMA cache_size = 3; BEGIN; UPDATE t SET k = {seed}; INSERT INTO t(k, v) SELECT k, v FROM t LIMIT {rows}; ROLLBACK"))),
        (3, Gen.Select(Gen.Int[1, 20], Seed).Select((every, seed) => Sql(
            $"PRAGMA cache_size = 3; BEGIN; UPDATE t SET v = noise({seed} + id, length(v)) WHERE id % {every} = 0; SAVEPOINT s; DELETE FROM t WHERE id % 2 = 0; INSERT INTO t(k, v) SELECT k, v FROM t; ROLLBACK TO s; UPDATE t SET k = k + 1 WHERE id < 3; COMMIT"))),
        (5, OneOf("WAL", "WAL", "WAL", "DELETE", "TRUNCATE", "PERSIST").Select(mode => Sql($"PRAGMA journal_mode = {mode}"))),
        (6, OneOf("PASSIVE", "FULL", "RESTART", "TRUNCATE").Select(kind => Sql($"PRAGMA wal_checkpoint({kind})"))),
        (4, OneOf(0, 0, 1, 1000).Select(pages => Sql($"PRAGMA wal_autocheckpoint = {pages}"))),
        (1,
            Gen.Select(Gen.Int[9, 16], OneOf("WAL", "DELETE"))
                .Select((bits, mode) => Sql($"PRAGMA journal_mode = DELETE; PRAGMA page_size = {1 << bits}; VACUUM; PRAGMA journal_mode = {mode}"))),
        (2, Gen.Const(new Step("close the connection", world => world.Close()))),
        (2, Gen.Const(new Step("begin reading", world => world.BeginReading()))),
        (3, Gen.Const(new Step("end reading", world => world.EndReading()))),
        (2, Gen.Const(new Step("crash", world => world.Crash()))),
        (1, Gen.Const(new Step("copy the database aside", world => world.CopyAside()))),
        (1, Gen.Const(new Step("put the copy back", world => world.CopyBack()))),
        (2,
            Gen.Select(Seed, Gen.Bool)
                .Select((which, delta) => new Step($"restore backup {which} over the database, delta {delta}", world => world.RestoreOver(which, delta)))));

    private static readonly Gen<Step> CacheSteps = Gen.Frequency(
        (2, Gen.Const(new Step("delete the digests", world => world.OnDigests(File.Delete)))),
        (2, Seed.Select(seed => new Step($"cut the digests, {seed}", world => world.OnDigests(path => Cut(path, seed))))),
        (2, Seed.Select(seed => new Step($"flip a bit of the digests, {seed}", world => world.OnDigests(path => Flip(path, seed))))),
        (4, Gen.Const(new Step("mix the digests up", world => world.MixDigests()))),
        (2, Gen.Const(new Step("remove .shbackup", world => world.RemoveState()))),
        (2, Gen.Bool.Select(withState => new Step($"copy the directory elsewhere, state {withState}", world => world.MoveDirectory(withState)))),
        (1, Gen.Const(new Step("set the clock back", world => world.ClockBack()))));

    private static readonly Gen<Step> BackupSteps = Gen.Select(
        OneOf(
            BackupStrategy.Full, BackupStrategy.Incremental, BackupStrategy.Incremental, BackupStrategy.Incremental, BackupStrategy.Wal, BackupStrategy.Wal,
            BackupStrategy.Wal, BackupStrategy.Auto),
        Gen.Enum<CompressionType>(),
        Gen.Frequency((3, Gen.Const(-1)), (1, Seed)),
        Gen.Int[0, 11],
        Gen.Int[0, 3]).Select((strategy, compression, parent, stepped, flags) => new Step(
            $"{strategy} backup, {compression}, parent {parent}, stepped {stepped == 0}, verify {(flags & 1) == 0}, during a transaction {flags > 1}",
            world => world.Backup(
                new CreateBackupOptions
                {
                    Strategy = strategy,
                    Compression = compression,
                    ForceStepped = stepped == 0,
                    Verify = (flags & 1) == 0,
                    MaxIncrements = 4,
                },
                strategy == BackupStrategy.Full || parent < 0 ? null : parent,
                duringTransaction: flags > 1)));

    private static readonly Gen<Step> CatalogSteps = Gen.Frequency(
        (4, Gen.Select(Seed, Gen.Int[5, 60]).Select((seed, percent) => new Step($"remove {percent} %, seed {seed}", world => world.Remove(seed, percent)))),
        (2, Seed.Select(which => new Step($"merge {which}", world => world.Merge(which)))),
        (1,
            Gen.Select(Seed, OneOf(VerificationLevel.Quick, VerificationLevel.Full))
                .Select((which, level) => new Step($"{level} test of {which}", world => world.Test(which, level)))));

    private static readonly Gen<Step[]> Programs = Gen.Frequency((16, DatabaseSteps), (2, CacheSteps), (9, BackupSteps), (2, CatalogSteps)).Array[5, 40];

    public static TheoryData<int> PageSizes => [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

    [Theory]
    [MemberData(nameof(PageSizes))]
    public void Every_backup_that_is_left_restores_to_exactly_the_image_that_was_there(int pageSize) =>
        Gen.Select(Gen.Enum<JournalMode>(), Programs).Sample(
            (mode, program) =>
            {
                using var world = new ChainWorld(pageSize, mode);
                foreach (var step in program)
                {
                    step.Do(world);
                }

                world.CheckAll();
                world.Remove(seed: 0, percent: 100);
                world.CheckAll();
            },
            iter: Iterations.Of(4),
            threads: 2,
            print: sample => $"{sample.Item1}\n{string.Join('\n', sample.Item2.Select(step => step.Name))}");

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static Step Sql(FormattableString sql)
    {
        var text = FormattableString.Invariant(sql);
        return new Step(text, world => world.Run(text));
    }

    private static void Cut(string path, int seed)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(file.Length == 0 ? 0 : seed % file.Length);
    }

    private static void Flip(string path, int seed)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length > 0)
        {
            bytes[seed % bytes.Length] ^= (byte)(1 << (seed % 8));
            File.WriteAllBytes(path, bytes);
        }
    }

    private sealed record Step(string Name, Action<ChainWorld> Do);
}
