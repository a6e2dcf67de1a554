using System.IO.Enumeration;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>A folder on the measured disk.</summary>
internal sealed class FolderStore(string path) : ProtectedStore
{
    public override string Suffix => string.Empty;

    public override string Title => "a folder";

    public override string? Missing => null;

    public override bool TellsTimes => false;

    public override IReadOnlyDictionary<string, string> Variables { get; } = new Dictionary<string, string>();

    public override RequestCount? Requests => null;

    public override string ToParameters => $"-To {Module.Quote(path)}";

    public override string FromParameters => $"-From {Module.Quote(path)}";

    public override void Clear() => Directory.CreateDirectory(path);

    public override Dictionary<string, object> ReplicaOf(string name) => new() { ["path"] = Path.Combine(path, name) };

    public override IEnumerable<StoredObject> List() => new FileSystemEnumerable<StoredObject>(
        path,
        (ref FileSystemEntry entry) =>
        {
            var file = entry.ToFullPath();
            return new StoredObject(Path.GetRelativePath(path, file), Stored: 0, () => new FileInfo(file).Length);
        },
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
    {
        ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
        ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.FileName.SequenceEqual(Module.Cache),
    };

    public override string Fetch(StoredObject stored) => Path.Combine(path, stored.Name);
}
