namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Where protections put their objects, and how they look from outside.</summary>
internal abstract class ProtectedStore
{
    /// <summary>What it adds to the names of steps.</summary>
    public abstract string Suffix { get; }

    /// <summary>What it is.</summary>
    public abstract string Title { get; }

    /// <summary>Why it cannot be used here; null if it can.</summary>
    public abstract string? Missing { get; }

    /// <summary>Whether <see cref="List"/> says when an object was stored; otherwise somebody has to see it come.</summary>
    public abstract bool TellsTimes { get; }

    /// <summary>The variables for the tools that use it.</summary>
    public abstract IReadOnlyDictionary<string, string> Variables { get; }

    /// <summary>The parameters of Start-SHBackupProtection that name it.</summary>
    public abstract string ToParameters { get; }

    /// <summary>The parameters of Restore-SHBackup that name it.</summary>
    public abstract string FromParameters { get; }

    /// <summary>The requests that the server has had from the tools, by its own count; null where there is no server.</summary>
    public abstract RequestCount? Requests { get; }

    /// <summary>Begins with an empty one.</summary>
    public abstract void Clear();

    /// <summary>Litestream's settings for a replica in it.</summary>
    /// <param name="name">The name of the replica.</param>
    public abstract Dictionary<string, object> ReplicaOf(string name);

    /// <summary>Lists all objects.</summary>
    public abstract IEnumerable<StoredObject> List();

    /// <summary>Returns the path of a file with an object's bytes.</summary>
    public abstract string Fetch(StoredObject stored);
}
