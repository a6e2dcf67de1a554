namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>A tool that protects databases continuously, as a user runs it, and how its store looks from outside.</summary>
internal abstract class Protection
{
    /// <summary>Its name in the tables.</summary>
    public abstract string Name { get; }

    /// <summary>Why it cannot run here; null if it can.</summary>
    public abstract string? Missing { get; }

    /// <summary>Protects every <c>*.db</c> of a folder with the tool's default settings, until it is stopped.</summary>
    /// <param name="place">Where they are.</param>
    /// <param name="interval">The time between two objects; null for the tool's own choice.</param>
    public abstract Command Protect(ProtectedPlace place, TimeSpan? interval = null);

    /// <summary>Returns how many databases have their first copy, and the beginning of what follows it, in the store.</summary>
    public abstract int CountReady(IReadOnlyCollection<StoredObject> objects);

    /// <summary>Whether an object of the store holds commits.</summary>
    public abstract bool IsObject(ReadOnlySpan<char> fileName);

    /// <summary>Returns the bytes of an object, with the pages in it as they are in the database.</summary>
    public abstract byte[] Read(string path);

    /// <summary>Restores the newest state of a database from the store to a free path, each way that there is.</summary>
    /// <returns>The names of the columns, and the commands.</returns>
    public abstract IEnumerable<(string Column, Command Command)> Restores(ProtectedPlace place, string database, string destination);
}
