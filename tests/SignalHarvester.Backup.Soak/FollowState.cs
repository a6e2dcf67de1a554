using System.Text.Json;
using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Soak;

/// <summary>Up to where the followed image goes: what the next process continues from.</summary>
/// <param name="Place">The place in the log; null if it was empty.</param>
/// <param name="Rest">The database file at rest; null if it was not at rest.</param>
internal sealed record FollowState(WalPosition? Place, FileMark? Rest)
{
    public static FollowState? Read(string path) => File.Exists(path) ? JsonSerializer.Deserialize<FollowState>(File.ReadAllText(path)) : null;

    public void Write(string path)
    {
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(this));
        File.Move(path + ".new", path, overwrite: true);
    }
}
