namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Litestream, which looks for commits and stores them once a second by default, as we do.</summary>
internal sealed class LitestreamProtection : Protection
{
    public override string Name => "litestream replicate";

    public override string? Missing => Peers.Missing("litestream");

    public override Command Protect(ProtectedPlace place)
    {
        File.WriteAllText(
            ConfigurationOf(place),
            Peers.LitestreamConfiguration(Directory.EnumerateFiles(place.Live, "*.db").Select(database => (database, ReplicaOf(place, database)))));
        return Peers.LitestreamReplicate(ConfigurationOf(place));
    }

    public override int CountReady(ProtectedPlace place) => Directory.EnumerateDirectories(place.Store).Count(replica =>
        Directory.EnumerateFiles(replica, "*.snapshot.lz4", SearchOption.AllDirectories).Any()
        && Directory.EnumerateFiles(replica, "*.wal.lz4", SearchOption.AllDirectories).Any());

    public override bool IsObject(ReadOnlySpan<char> fileName) => fileName.EndsWith(".wal.lz4", StringComparison.Ordinal);

    /// <summary>As it is: LZ4 leaves bytes that it has not seen before as they are.</summary>
    public override byte[] Read(string path) => File.ReadAllBytes(path);

    public override IEnumerable<(string Column, Command Command)> Restores(ProtectedPlace place, string database, string destination) =>
        [(ProtectedPlace.UncheckedRestore, Peers.LitestreamRestore(ConfigurationOf(place), database, destination))];

    private static string ConfigurationOf(ProtectedPlace place) => Path.Combine(place.Home, "litestream.yml");

    private static string ReplicaOf(ProtectedPlace place, string database) => Path.Combine(place.Store, Path.GetFileName(database));
}
