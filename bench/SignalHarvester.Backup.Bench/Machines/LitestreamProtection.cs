namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Litestream, which looks for commits and stores them once a second by default, as we do.</summary>
internal sealed class LitestreamProtection : Protection
{
    public override string Name => "litestream replicate";

    public override string? Missing => Peers.Missing("litestream");

    public override Command Protect(ProtectedPlace place, TimeSpan? interval = null)
    {
        File.WriteAllText(
            ConfigurationOf(place),
            Peers.LitestreamConfiguration(
                Directory.EnumerateFiles(place.Live, "*.db").Select(database => (database, place.Store.ReplicaOf(Path.GetFileName(database)))),
                interval));
        return Peers.LitestreamReplicate(ConfigurationOf(place)) with { Variables = place.Store.Variables };
    }

    public override int CountReady(IReadOnlyCollection<StoredObject> objects) => objects.GroupBy(stored => stored.Top).Count(replica =>
        replica.Any(stored => stored.Name.EndsWith(".snapshot.lz4", StringComparison.Ordinal)) && replica.Any(stored => IsObject(stored.FileName)));

    public override bool IsObject(ReadOnlySpan<char> fileName) => fileName.EndsWith(".wal.lz4", StringComparison.Ordinal);

    /// <summary>As it is: LZ4 leaves bytes that it has not seen before as they are.</summary>
    public override byte[] Read(string path) => File.ReadAllBytes(path);

    public override IEnumerable<(string Column, Command Command)> Restores(ProtectedPlace place, string database, string destination) =>
        [(ProtectedPlace.UncheckedRestore, Peers.LitestreamRestore(ConfigurationOf(place), database, destination) with { Variables = place.Store.Variables })];

    private static string ConfigurationOf(ProtectedPlace place) => Path.Combine(place.Home, "litestream.yml");
}
