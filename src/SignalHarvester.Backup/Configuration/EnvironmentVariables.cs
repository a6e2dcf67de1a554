using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Configuration;

/// <summary>The environment. Its variables override settings, and values can refer to them.</summary>
/// <param name="variables">Name and value of each variable.</param>
internal sealed partial class EnvironmentVariables(IReadOnlyDictionary<string, string> variables)
{
    /// <summary>The variable that names the configuration file.</summary>
    public const string ConfigurationFile = Prefix + "CONFIG";

    private const string Prefix = "SHBACKUP_";
    private const string Root = "app.";
    private const string BackupRoot = "app.backup.";

    /// <summary>Whether anything in the environment may concern settings.</summary>
    public bool IsConcerned => Names.Any(name => name != ConfigurationFile);

    /// <summary>The names of all variables that are set and have our prefix.</summary>
    public IEnumerable<string> Names => variables.Keys.Where(name => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && TryGet(name, out _));

    /// <summary>The names of those that Kubernetes or Docker set for a service whose name begins with shbackup. They are not settings.</summary>
    public IReadOnlyList<string> OfServices =>
        [
            .. variables.Where(variable => variable.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && IsOfService(variable.Key, variable.Value))
                .Select(variable => variable.Key)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Returns the present variables of this process.</summary>
    public static EnvironmentVariables OfProcess()
    {
        var variables = new Dictionary<string, string>(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? string.Empty;
        }

        return new EnvironmentVariables(variables);
    }

    /// <summary>
    /// Returns the variable of a key: <c>app.backup.s3.bucket</c> is SHBACKUP_S3_BUCKET, <c>app.database_path</c>
    /// SHBACKUP_DATABASE_PATH.
    /// </summary>
    /// <param name="key">The key's path.</param>
    public static string NameOf(string key) =>
        Prefix + key[(key.StartsWith(BackupRoot, StringComparison.Ordinal) ? BackupRoot : Root).Length..].Replace('.', '_').ToUpperInvariant();

    /// <summary>Gets a variable. An empty one counts as not set, as shells and unit files leave it. One of a service is not a setting.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out string? value) =>
        variables.TryGetValue(name, out value) && value.Length > 0
            && !(name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && IsOfService(name, value));

    /// <summary>
    /// Inserts the values of variables for <c>${NAME}</c>. <c>$${</c> stands for a plain <c>${</c>; other dollar signs stand for themselves.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="names">The names in the text, in order.</param>
    /// <returns>The text with the values; null if a variable is not set or a name is invalid, which is then the last of the names.</returns>
    public string? Expand(string text, List<string> names)
    {
        var expanded = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var rest = text.AsSpan(at);
            if (rest.StartsWith("$${"))
            {
                expanded.Append("${");
                at += 3;
            }
            else if (rest.StartsWith("${"))
            {
                var end = rest.IndexOf('}');
                var name = (end < 0 ? rest : rest[2..end]).ToString();
                names.Add(name);
                if (!IsName(name) || !TryGet(name, out var value))
                {
                    return null;
                }

                expanded.Append(value);
                at += end + 1;
            }
            else
            {
                expanded.Append(text[at++]);
            }
        }

        return expanded.ToString();
    }

    /// <summary>Whether a text can be the name of a variable.</summary>
    public static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    /// <summary>
    /// Kubernetes puts the address of each Service into the environment of every pod beside it, and Docker that of each link. The
    /// variable's name comes from the service's: shbackup-metrics makes SHBACKUP_METRICS_PORT=tcp://10.96.0.7:9187. Only name and
    /// value together distinguish these from settings.
    /// </summary>
    private static bool IsOfService(string name, string value) =>
        ServiceName().Match(name) is { Success: true } match
        && (match.Groups["url"].Success ? ServiceUrl().IsMatch(value)
            : match.Groups["host"].Success ? IPAddress.TryParse(value, out _)
            : match.Groups["protocol"].Success ? ServiceProtocol().IsMatch(value)
            : ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _));

    [GeneratedRegex(
        @"_(?:(?<url>PORT(?:_[0-9]+_(?:TCP|UDP|SCTP))?)|(?<host>SERVICE_HOST|PORT_[0-9]+_(?:TCP|UDP|SCTP)_ADDR)|(?<protocol>PORT_[0-9]+_(?:TCP|UDP|SCTP)_PROTO)|PORT_[0-9]+_(?:TCP|UDP|SCTP)_PORT|SERVICE_PORT(?:_[A-Z0-9_]+)?)\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ServiceName();

    [GeneratedRegex(@"\A(?:tcp|udp|sctp)://", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ServiceUrl();

    [GeneratedRegex(@"\A(?:tcp|udp|sctp)\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ServiceProtocol();
}
