using System.Globalization;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>This module's own.</summary>
internal sealed class ModuleProtection(Module module) : Protection
{
    public override string Name => "Start-SHBackupProtection";

    public override string? Missing => module.Missing ?? Tools.Missing("sh", "zstd");

    public override Command Protect(ProtectedPlace place, TimeSpan? interval = null) =>
        module.Protect(place, interval is { TotalSeconds: var seconds } ? string.Create(CultureInfo.InvariantCulture, $"-Interval {seconds}") : "");

    public override int CountReady(IReadOnlyCollection<StoredObject> objects) => Math.Min(
        objects.Count(stored => stored.Name.StartsWith("backup_", StringComparison.Ordinal) && stored.Name.EndsWith(".json", StringComparison.Ordinal)),
        objects.Where(stored => IsObject(stored.FileName)).DistinctBy(stored => stored.Top).Count());

    public override bool IsObject(ReadOnlySpan<char> fileName) =>
        fileName.StartsWith("seg_", StringComparison.Ordinal) && fileName.EndsWith(".seg", StringComparison.Ordinal);

    public override byte[] Read(string path)
    {
        // The format's own promise: what is in front of the log is skipped.
        using var process = new Command("zstd", ["-dcq", path]).Start();
        using var content = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(content);
        process.WaitForExit();
        return content.ToArray();
    }

    public override IEnumerable<(string Column, Command Command)> Restores(ProtectedPlace place, string database, string destination)
    {
        var now = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);
        return
        [
            (ProtectedPlace.CheckedRestore, module.RestoreMoment(place, database, now, destination, verify: true)),
            (ProtectedPlace.UncheckedRestore, module.RestoreMoment(place, database, now, destination, verify: false)),
        ];
    }
}
