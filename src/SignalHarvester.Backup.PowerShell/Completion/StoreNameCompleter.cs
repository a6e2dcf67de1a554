using System.Collections;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes the names of the configuration's stores, and shows their addresses.</summary>
public sealed class StoreNameCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) =>
        CompletedDirectory.Stores(given).Select(store => (store.Name, store.Location.ToString()));
}
