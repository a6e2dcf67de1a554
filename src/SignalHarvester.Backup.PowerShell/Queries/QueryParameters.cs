using System.Collections;
using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Operations.Query;

namespace SignalHarvester.Backup.PowerShell.Queries;

/// <summary>The parameters of a query, and its limits.</summary>
public sealed class QueryParameters
{
    /// <summary>
    /// The values of the query's parameters, by their names: @{ id = 7 } for :id, $id or @id, and @{ 1 = 7 } for the first ?. A value
    /// is a number, a text, bytes, $true, $false or $null; a date is given as text, in the form that the database has.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? Parameter { get; set; }

    /// <summary>Seconds that a query of one backup may take, 1 to 86400. Without it, any time; Ctrl+C ends it.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int? Timeout { get; set; }

    /// <summary>
    /// Bytes that unpacked parts of a backup may take in memory, 16MB to 4GB; a single value may take a quarter. Sorting takes room in
    /// the system's temporary folder instead.
    /// </summary>
    [Parameter]
    [ValidateRange(QueryOptions.LeastMemoryBytes, 4L << 30)]
    public long MemoryLimit { get; set; } = QueryOptions.DefaultMemoryBytes;

    /// <summary>Returns the query with its limits.</summary>
    /// <exception cref="BackupException">InvalidArgument: two names of -Parameter are the same. QueryFailed, QueryRefused: it is no query.</exception>
    internal QueryOptions Options(string sql)
    {
        BackupEngine.CheckQuery(sql);
        var values = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry value in Parameter ?? new Hashtable())
        {
            var name = Convert.ToString(value.Key, CultureInfo.InvariantCulture)!.TrimStart(':', '$', '@', '?');
            if (!values.TryAdd(name, value.Value is PSObject wrapped ? wrapped.BaseObject : value.Value))
            {
                throw BackupException.InvalidArgument(name, $"-Parameter gives '{name}' twice. Give each parameter of the query one value.");
            }
        }

        return new QueryOptions
        {
            Sql = sql,
            Parameters = values,
            Timeout = Timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            MemoryBytes = MemoryLimit,
        };
    }
}
