using System.Globalization;
using System.Text.Json;
using static SignalHarvester.Backup.Bench.Machines.Command;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>
/// The command lines of the other tools, each left as its manual shows it. What a tool does not force to the disk
/// itself is followed by <c>sync FILE</c>, an fsync, so that all results are durable.
/// </summary>
internal static class Peers
{
    /// <summary>What <c>sync FILE</c>, <c>find -exec</c> and the scripts need beside the tool itself.</summary>
    private static readonly string[] Unix = ["sh", "sync", "find"];

    private const string BorgArchive = "bench";

    /// <summary>Which of the tools is missing, as a reason to skip; null when none is.</summary>
    public static string? Missing(params string[] names) => Tools.Missing([.. names, .. Unix]);

    public static Command ZstdCompress(string file, string output) =>
        Shell($"zstd -q -1 -T2 {Quote(file)} -o {Quote(output)}; {Sync(output)}");

    public static Command ZstdDecompress(string file, string output) =>
        Shell($"zstd -q -d {Quote(file)} -o {Quote(output)}; {Sync(output)}");

    /// <summary>What a careful script does today: a consistent copy, its hash, its compression.</summary>
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

    /// <summary>Removes all snapshots but the newest so many, and what only they needed.</summary>
    public static Command ResticForget(string repository, int keep) =>
        Restic(repository, string.Create(CultureInfo.InvariantCulture, $"forget --keep-last {keep} --prune"));

    public static Command BorgInit(string repository) => Borg(repository, $"borg init -e none {Quote(repository)}");

    /// <summary>The name of the archive of a numbered state.</summary>
    public static string Archive(int state) => string.Create(CultureInfo.InvariantCulture, $"state-{state}");

    /// <param name="repository">The repository.</param>
    /// <param name="file">The file.</param>
    /// <param name="archive">A name that the repository does not have yet.</param>
    public static Command BorgCreate(string repository, string file, string archive = BorgArchive) =>
        Borg(repository, $"borg create {Quote($"{repository}::{archive}")} {Quote(file)}");

    public static Command BorgExtract(string repository, string target, string archive = BorgArchive) =>
        Borg(repository, $"cd {Quote(target)}; borg extract {Quote($"{repository}::{archive}")}; {SyncAll(target)}");

    /// <summary>Removes the oldest so many archives, and what only they needed.</summary>
    public static Command BorgDelete(string repository, int oldest) =>
        Borg(repository, string.Create(CultureInfo.InvariantCulture, $"borg delete --first {oldest} {Quote(repository)}; borg compact {Quote(repository)}"));

    /// <summary>The repository and what the tool keeps elsewhere about it.</summary>
    public static string[] DirectoriesOf(string repository) => [repository, CacheOf(repository)];

    /// <summary>
    /// Litestream has no one-off backup: it replicates until its first snapshot stands, and is stopped. It writes
    /// tables of its own into the database, so it must be given a copy.
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
        JsonSerializer.Serialize(new { dbs = new[] { new { path = copy, replicas = new[] { new { path = replica } } } } });

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
