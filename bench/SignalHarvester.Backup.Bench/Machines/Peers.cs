using System.Globalization;
using System.Text.Json;
using static SignalHarvester.Backup.Bench.Machines.Command;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>
/// The command lines of the other tools, each as in its manual. If a tool does not flush its file to the disk itself,
/// <c>sync FILE</c>, an fsync, follows, so that all results are durable.
/// </summary>
internal static class Peers
{
    /// <summary>The programs that <c>sync FILE</c>, <c>find -exec</c> and the scripts need in addition to the tool itself.</summary>
    private static readonly string[] Unix = ["sh", "sync", "find"];

    private const string BorgArchive = "bench";

    /// <summary>Returns which of the tools are missing, as a reason to skip; null if none is.</summary>
    public static string? Missing(params string[] names) => Tools.Missing([.. names, .. Unix]);

    public static Command ZstdCompress(string file, string output) =>
        Shell($"zstd -q -1 -T2 {Quote(file)} -o {Quote(output)}; {Sync(output)}");

    public static Command ZstdDecompress(string file, string output) =>
        Shell($"zstd -q -d {Quote(file)} -o {Quote(output)}; {Sync(output)}");

    /// <summary>The usual work of a careful script: a consistent copy, its hash, its compression.</summary>
    public static Command SqliteScript(string database, string directory)
    {
        var copy = Path.Combine(directory, "copy.db");
        return Shell($"""
            sqlite3 {Quote(database)} {Quote($".backup {SqliteShellQuote(copy)}")}
            sha256sum {Quote(copy)} > {Quote(copy + ".sha256")}
            zstd -q -1 -T2 --rm {Quote(copy)} -o {Quote(copy + ".zst")}
            sync {Quote(copy + ".zst")} {Quote(copy + ".sha256")} {Quote(directory)}
            """);
    }

    public static Command OpensslHash(string file) => Shell($"openssl dgst -sha256 {Quote(file)}");

    public static Command ResticInit(string repository) => Restic(repository, "init");

    public static Command ResticBackup(string repository, string file) => Restic(repository, $"backup {Quote(file)}");

    public static Command ResticRestore(string repository, string target) =>
        Restic(repository, $"restore latest --target {Quote(target)}; {SyncAll(target)}");

    /// <summary>Removes all snapshots except this many newest ones, and the data that only they needed.</summary>
    public static Command ResticForget(string repository, int keep) =>
        Restic(repository, string.Create(CultureInfo.InvariantCulture, $"forget --keep-last {keep} --prune"));

    public static Command BorgInit(string repository) => Borg(repository, $"borg init -e none {Quote(repository)}");

    /// <summary>The name of the archive of a numbered state.</summary>
    public static string Archive(int state) => string.Create(CultureInfo.InvariantCulture, $"state-{state}");

    /// <param name="repository">The repository.</param>
    /// <param name="file">The file.</param>
    /// <param name="archive">A new name in the repository.</param>
    public static Command BorgCreate(string repository, string file, string archive = BorgArchive) =>
        Borg(repository, $"borg create {Quote($"{repository}::{archive}")} {Quote(file)}");

    public static Command BorgExtract(string repository, string target, string archive = BorgArchive) =>
        Borg(repository, $"cd {Quote(target)}; borg extract {Quote($"{repository}::{archive}")}; {SyncAll(target)}");

    /// <summary>Removes this many of the oldest archives, and the data that only they needed.</summary>
    public static Command BorgDelete(string repository, int oldest) =>
        Borg(repository, string.Create(CultureInfo.InvariantCulture, $"borg delete --first {oldest} {Quote(repository)}; borg compact {Quote(repository)}"));

    /// <summary>The repository, and the files about it that the tool keeps elsewhere.</summary>
    public static string[] DirectoriesOf(string repository) => [repository, CacheOf(repository)];

    /// <summary>
    /// Litestream has no one-off backup: it replicates until its first snapshot is there, and is then stopped. It writes tables of its
    /// own into the database, so it gets a copy.
    /// </summary>
    public static Command LitestreamSnapshot(string configuration, string replica) =>
        Shell($"""
            litestream replicate -config {Quote(configuration)} > /dev/null 2>&1 & child=$!
            until ls {Quote(replica)}/generations/*/snapshots/*.snapshot.lz4 > /dev/null 2>&1
            do kill -0 $child; sleep 0.05; done
            kill -INT $child; wait $child || true
            {SyncAll(replica)}
            """);

    /// <summary>Litestream's settings for that; as arguments, it would misread some paths.</summary>
    public static string LitestreamConfiguration(string copy, string replica) =>
        LitestreamConfiguration([(copy, new Dictionary<string, object> { ["path"] = replica })], interval: null);

    /// <summary>The same for several databases, each with the settings of its replica, and the time between two looks and objects.</summary>
    public static string LitestreamConfiguration(IEnumerable<(string Database, Dictionary<string, object> Replica)> databases, TimeSpan? interval) =>
        JsonSerializer.Serialize(new
        {
            dbs = databases.Select(d =>
            {
                var settings = new Dictionary<string, object> { ["path"] = d.Database, ["replicas"] = new[] { d.Replica } };
                if (interval is { TotalMilliseconds: var milliseconds })
                {
                    settings["monitor-interval"] = d.Replica["sync-interval"] = string.Create(CultureInfo.InvariantCulture, $"{milliseconds}ms");
                }

                return settings;
            }),
        });

    /// <summary>Litestream until it is stopped.</summary>
    public static Command LitestreamReplicate(string configuration) => new("litestream", ["replicate", "-config", configuration]);

    public static Command LitestreamRestore(string configuration, string database, string output) =>
        Shell($"litestream restore -config {Quote(configuration)} -o {Quote(output)} {Quote(database)}; {Sync(output)}");

    /// <summary>A compression by one thread of a file that nobody else uses, again and again until it is stopped.</summary>
    public static Command ZstdForever(string file, string output) =>
        Shell($"""
            trap 'kill $child; exit' TERM
            while :
            do zstd -qf -1 -T1 {Quote(file)} -o {Quote(output)} & child=$!
            wait $child
            done
            """);

    private static string SqliteShellQuote(string text) =>
        $"\"{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Sync(string file) => $"sync {Quote(file)} {Quote(Path.GetDirectoryName(file)!)}";

    private static string SyncAll(string directory) => $"find {Quote(directory)} -exec sync {{}} +";

    private static string CacheOf(string repository) => repository + "-cache";

    private static Command Restic(string repository, string arguments) => Shell($"restic -q -r {Quote(repository)} {arguments}") with
    {
        Variables = new Dictionary<string, string>
        {
            ["RESTIC_PASSWORD"] = "bench",
            ["RESTIC_CACHE_DIR"] = CacheOf(repository),
        },
    };

    private static Command Borg(string repository, string script) => Shell(script) with
    {
        Variables = new Dictionary<string, string>
        {
            ["BORG_BASE_DIR"] = CacheOf(repository),
            ["BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK"] = "yes",
        },
    };
}
