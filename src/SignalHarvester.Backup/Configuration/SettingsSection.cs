using System.Globalization;

namespace SignalHarvester.Backup.Configuration;

/// <summary>
/// A map of keys in a configuration, read key by key. Each read takes the environment's value, else the file's, else the
/// default. It notes the result, and reports a value that is not allowed without stopping.
/// </summary>
internal sealed class SettingsSection
{
    private const string Mask = "********";

    private readonly SettingsReading reading;
    private readonly string path;
    private readonly bool isItem;
    private readonly ConfigurationNode? node;
    private readonly List<string> known = [];

    /// <summary>Begins with a section.</summary>
    /// <param name="reading">The pass over the configuration.</param>
    /// <param name="path">Its key's path; empty for the whole file.</param>
    /// <param name="node">Its content; null for none.</param>
    /// <param name="isClosed">Whether an unknown key is a mistake; if not, it belongs to the application.</param>
    /// <param name="isItem">Whether it is an item of a list. No variable can override one.</param>
    public SettingsSection(SettingsReading reading, string path, ConfigurationNode? node, bool isClosed = true, bool isItem = false)
    {
        (this.reading, this.path, IsClosed, this.isItem) = (reading, path, isClosed, isItem);
        this.node = node is null or { IsNothing: true } or { Entries: not null } ? node : null;
        if (node is not null && node != this.node)
        {
            reading.Report(node, path.Length == 0 ? null : path, $"found {node.Kind}; allowed is a map of keys.", node.Text, "a map of keys");
        }

        reading.Enter(this);
    }

    /// <summary>Whether an unknown key is a mistake.</summary>
    public bool IsClosed { get; }

    /// <summary>The names of the keys that were read so far.</summary>
    public IReadOnlyList<string> Known => known;

    /// <summary>The section's place in the file; null if it is not there.</summary>
    public ConfigurationNode? Place => node;

    /// <summary>Returns a key's path.</summary>
    public string KeyOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>Returns the unknown keys.</summary>
    public IEnumerable<ConfigurationNode> Unknown() =>
        node?.Entries?.Select(entry => entry.Key).Where(key => key.Text is null || !known.Contains(key.Text)) ?? [];

    /// <summary>Returns a section inside this one.</summary>
    public SettingsSection Section(string name, bool isClosed = true) => new(reading, KeyOf(name), Find(name), isClosed);

    /// <summary>Returns all keys of this section, for one whose keys are names that the file chooses.</summary>
    public IReadOnlyList<ConfigurationNode> Names()
    {
        var keys = node?.Entries?.Select(entry => entry.Key).DistinctBy(key => key.Text).ToList() ?? [];
        known.AddRange(keys.Select(key => key.Text).OfType<string>());
        return keys;
    }

    /// <summary>Returns the section under such a name. No variable can override it.</summary>
    public SettingsSection Named(string name) => new(reading, KeyOf(name), Find(name), isItem: true);

    /// <summary>Whether the file has a value for a key.</summary>
    public bool Has(string name) => node?.Entries?.Exists(entry => entry.Key.Text == name && !entry.Value.IsNothing) == true;

    /// <summary>Reads true or false.</summary>
    public bool Flag(string name, bool fallback) =>
        Read(name, fallback, ValueText.ToFlag, ValueText.Flags, flag => flag ? "true" : "false");

    /// <summary>Reads a whole number.</summary>
    public int Number(string name, int fallback, int least, int most) => NumberOrNone(name, least, most, fallback) ?? fallback;

    /// <summary>Reads an optional whole number.</summary>
    public int? NumberOrNone(string name, int least, int most, int? fallback = null) => ReadOrNone(
        name,
        fallback,
        text => ValueText.ToNumber(text, least, most) is { } number ? (int?)number : null,
        string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"),
        number => number?.ToString(CultureInfo.InvariantCulture));

    /// <summary>Reads one of several words.</summary>
    public T Choice<T>(string name, T fallback)
        where T : struct, Enum
    {
        var words = Enum.GetValues<T>().ToDictionary(Word, value => value, StringComparer.OrdinalIgnoreCase);
        return Read(name, fallback, text => words.TryGetValue(text, out var value) ? value : null, OneOf(words.Keys), Word);
    }

    /// <summary>Reads one of several words, if there is one.</summary>
    public T? ChoiceOrNone<T>(string name)
        where T : struct, Enum
    {
        var words = Enum.GetValues<T>().ToDictionary(Word, value => value, StringComparer.OrdinalIgnoreCase);
        return ReadOrNone(
            name, (T?)null, text => words.TryGetValue(text, out var value) ? (T?)value : null, OneOf(words.Keys), value => value is { } one ? Word(one) : null);
    }

    /// <summary>Reads one of several words, and returns it unchanged.</summary>
    public string? Word(string name, params string[] words) =>
        ReadOrNone(name, null, text => Array.Find(words, word => word.Equals(text, StringComparison.OrdinalIgnoreCase)), OneOf(words), word => word);

    /// <summary>Reads a text; an empty one counts as missing.</summary>
    public string? Text(string name) =>
        ReadOrNone(name, null, text => text, "a text", text => text is { Length: > 0 } ? text : null) is { Length: > 0 } text ? text : null;

    /// <summary>Reads a time of day in UTC.</summary>
    public TimeOnly Time(string name, TimeOnly fallback) => Read(name, fallback, ValueText.ToTime, ValueText.Times, ValueText.Of);

    /// <summary>Reads a day of the week.</summary>
    public DayOfWeek Day(string name, DayOfWeek fallback) =>
        Read(name, fallback, ValueText.ToDay, OneOf(Enum.GetValues<DayOfWeek>().Select(Word)), Word);

    /// <summary>Reads the time from one backup to the next.</summary>
    public TimeSpan Interval(string name, TimeSpan fallback) => Read(name, fallback, ValueText.ToInterval, ValueText.Intervals, ValueText.Of);

    /// <summary>Reads an age.</summary>
    public BackupAge? Age(string name) => ReadOrNone(name, null, ValueText.ToAge, ValueText.Ages, age => age is null ? null : ValueText.Of(age.Value));

    /// <summary>Reads an age with a default.</summary>
    public TimeSpan Age(string name, TimeSpan fallback) => Read(name, fallback, text => ValueText.ToAge(text)?.Value, ValueText.Ages, ValueText.Of);

    /// <summary>Reads an age with a default and limits.</summary>
    public TimeSpan Age(string name, TimeSpan fallback, TimeSpan least, TimeSpan most) => Read(
        name,
        fallback,
        text => ValueText.ToAge(text)?.Value is { } age && age >= least && age <= most ? age : null,
        $"{ValueText.Ages}, from {ValueText.Of(least)} to {ValueText.Of(most)}",
        ValueText.Of);

    /// <summary>Reads a number of bytes.</summary>
    public long? Bytes(string name, long least) => ReadOrNone(
        name,
        (long?)null,
        text => ValueText.ToBytes(text, least) is { } bytes ? (long?)bytes : null,
        string.Create(CultureInfo.InvariantCulture, $"a number of bytes, alone or with a unit such as 5MB, {least} or more"),
        bytes => bytes?.ToString(CultureInfo.InvariantCulture));

    /// <summary>Reads an address that is shown and recorded, and so must not contain credentials.</summary>
    public Uri? Endpoint(string name) => ReadOrNone(
        name,
        null,
        text => ValueText.ToAddress(text) is { UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 } address ? address : null,
        $"{ValueText.Addresses}, without a user name, a query or a fragment",
        address => address?.OriginalString,
        MayHoldSecret);

    /// <summary>Reads an address that may contain a user name and a password.</summary>
    public Uri? Address(string name) => ReadOrNone(
        name, null, ValueText.ToAddress, ValueText.Addresses, address => address?.OriginalString, MayHoldSecret);

    /// <summary>Reads a path.</summary>
    public string? FilePath(string name, PathNeed need, string? fallback = null) => FilePath(name, need, fallback, text => text, text => text);

    /// <summary>Reads the path of a file with a secret key, and refuses the key itself, which must not be shown.</summary>
    public string? KeyFilePath(string name)
    {
        if (Given(name, text => IsKey(text) ? Mask : text) is not { } given || !IsKey(given.Text))
        {
            return FilePath(name, PathNeed.File);
        }

        const string allowed = "the path of a file that holds the key";
        reading.Report(
            given, $"found {SettingsReading.Quote(given.Shown)}, a secret key; allowed is {allowed}. Put it into a file that only its owner may read.",
            allowed);
        reading.Add(KeyOf(name), null, given, EnvironmentVariables.NameOf(KeyOf(name)));
        return null;

        static bool IsKey(string text) => text.Contains("AGE-SECRET-KEY-", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reports a list that is present, in the file or by a variable, but empty.</summary>
    /// <param name="name">The key of the empty list.</param>
    /// <param name="message">What is wrong with that.</param>
    public void RefuseNothing(string name, string message)
    {
        var key = KeyOf(name);
        var variable = EnvironmentVariables.NameOf(key);
        if (reading.Environment.TryGet(variable, out var text))
        {
            reading.Report(new GivenValue(key, text, text, ConfigurationSource.Environment, variable, null, null), message);
        }
        else if (Find(name) is { IsNothing: true } nothing)
        {
            reading.Report(nothing, key, message);
        }
    }

    /// <summary>Reads the path of a database. Like the predecessor, it also accepts an address of SQLAlchemy.</summary>
    public string? DatabasePath(string name) => FilePath(name, PathNeed.File, null, ToDatabase, MaskServer);

    /// <summary>Makes a full path of a value that was read separately; null, and a problem, if it is not a path.</summary>
    public string? DatabasePath(GivenValue given) => ToPath(given, PathNeed.File, ToDatabase);

    /// <summary>Reads a list. A single value is a list of one.</summary>
    /// <param name="name">The key.</param>
    /// <param name="separator">The separator of the items in a variable; null if no variable can hold them.</param>
    /// <param name="isMap">Whether an item may be a map.</param>
    public IReadOnlyList<SettingsItem> Items(string name, char? separator, bool isMap)
    {
        var key = KeyOf(name);
        var variable = separator is null ? null : EnvironmentVariables.NameOf(key);
        var list = Find(name);
        var items = variable is not null && reading.Environment.TryGet(variable, out var value)
            ? value.Split(separator!.Value, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select((text, index) =>
                    new SettingsItem(new GivenValue(ItemKey(index), text, MaskItem(text), ConfigurationSource.Environment, variable, null, null), null))
                .ToList()
            : (list is null or { IsNothing: true } ? [] : list.Items ?? [list])
                .Select((item, index) => isMap && item.Entries is not null
                    ? new SettingsItem(null, new SettingsSection(reading, ItemKey(index), item, isItem: true))
                    : new SettingsItem(FromFile(ItemKey(index), item, MaskItem), null))
                .ToList();
        if (items.Count == 0)
        {
            reading.Add(key, null, null, variable);
        }

        return items.FindAll(item => item != new SettingsItem(null, null));

        string ItemKey(int index) => string.Create(CultureInfo.InvariantCulture, $"{key}[{index}]");
    }

    /// <summary>Notes the text of an item.</summary>
    public void Add(GivenValue given, string value) =>
        reading.Add(given.Key, value, given, EnvironmentVariables.NameOf(given.Key[..given.Key.IndexOf('[', StringComparison.Ordinal)]));

    /// <summary>Reports an item that is not allowed.</summary>
    public void Refuse(GivenValue given, string allowed) => reading.Refuse(given, allowed);

    /// <summary>Reports a key that is not allowed.</summary>
    public void Refuse(ConfigurationNode key, string allowed)
    {
        var name = SettingsReading.Quote(key.Text ?? key.Kind);
        reading.Report(key, path, $"found {name}; allowed is {allowed}.", key.Text, allowed);
    }

    /// <summary>Reports a required key that is missing.</summary>
    public void Require(string name, string why) =>
        reading.Problems.Add(new ConfigurationProblem
        {
            Path = node is null && reading.File.Length == 0 ? EnvironmentVariables.NameOf(KeyOf(name)) : reading.File,
            Line = node?.Line,
            Column = node?.Column,
            Key = KeyOf(name),
            Allowed = "a value",
            Message = $"is missing: {why}.",
        });

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string OneOf(IEnumerable<string> words)
    {
        string[] all = [.. words];
        return string.Join(", ", all[..^1]) + " or " + all[^1];
    }

    private static string? ToDatabase(string text)
    {
        const string sqlite = "sqlite:///";
        var file = text.StartsWith(sqlite, StringComparison.OrdinalIgnoreCase) ? text[sqlite.Length..] : text;
        return file.Contains("://", StringComparison.Ordinal) ? null : file;
    }

    private static bool MayHoldSecret(string address) => address.AsSpan().IndexOfAny('@', '?', '#') >= 0;

    /// <summary>The address of a database server is not supported, but can contain a password.</summary>
    private static string MaskServer(string text) =>
        text.Contains('@', StringComparison.Ordinal) && text.Contains("://", StringComparison.Ordinal) ? Mask : text;

    /// <summary>A secret key in the place of a public one must not be shown either.</summary>
    private static string MaskItem(string text) => text.Contains("SECRET", StringComparison.OrdinalIgnoreCase) ? Mask : MaskServer(text);

    private T Read<T>(string name, T fallback, Func<string, T?> parse, string allowed, Func<T, string?> show, Func<string, bool>? isSecret = null)
        where T : struct => ReadGiven(name, fallback, text => parse(text) is { } value ? (true, value) : (false, fallback), allowed, show, isSecret);

    private T? ReadOrNone<T>(string name, T? fallback, Func<string, T?> parse, string allowed, Func<T?, string?> show, Func<string, bool>? isSecret = null) =>
        ReadGiven(name, fallback, text => parse(text) is { } value ? (true, value) : (false, fallback), allowed, show, isSecret);

    private T ReadGiven<T>(
        string name, T fallback, Func<string, (bool IsAllowed, T Value)> parse, string allowed, Func<T, string?> show, Func<string, bool>? isSecret)
    {
        var value = fallback;
        var given = Given(name, text => isSecret?.Invoke(text) == true ? Mask : text);
        if (given is not null)
        {
            (var isAllowed, value) = parse(given.Text);
            if (!isAllowed)
            {
                reading.Refuse(given, allowed);
            }
        }

        reading.Add(KeyOf(name), show(value), given, isItem ? null : EnvironmentVariables.NameOf(KeyOf(name)));
        return value;
    }

    private string? FilePath(string name, PathNeed need, string? fallback, Func<string, string?> toPath, Func<string, string> mask)
    {
        var given = Given(name, mask);
        var value = given is null ? fallback : ToPath(given, need, toPath) ?? fallback;
        reading.Add(KeyOf(name), value, given, isItem ? null : EnvironmentVariables.NameOf(KeyOf(name)));
        return value;
    }

    private string? ToPath(GivenValue given, PathNeed need, Func<string, string?> toPath)
    {
        if (given.Text.Length == 0)
        {
            return null;
        }

        if (toPath(given.Text) is not { Length: > 0 } text || text.Contains('\0', StringComparison.Ordinal))
        {
            reading.Refuse(given, need == PathNeed.File ? "the path of a file, or sqlite:/// and a path" : "the path of a folder or file");
            return null;
        }

        if (text == "~" || text.StartsWith("~/", StringComparison.Ordinal))
        {
            reading.Refuse(given, "a path without '~', which only works in shells: give ${HOME}/… or a full path");
            return null;
        }

        var full = reading.FullPath(text);
        reading.Paths.Add(new ConfiguredPath(full, need, given));
        return full;
    }

    private GivenValue? Given(string name, Func<string, string> mask)
    {
        var key = KeyOf(name);
        if (!isItem && EnvironmentVariables.NameOf(key) is var variable && reading.Environment.TryGet(variable, out var text))
        {
            known.Add(name);
            return new GivenValue(key, text, mask(text), ConfigurationSource.Environment, variable, null, null);
        }

        return Find(name) is { IsNothing: false } value ? FromFile(key, value, mask) : null;
    }

    private GivenValue? FromFile(string key, ConfigurationNode value, Func<string, string> mask)
    {
        if (value.Text is null)
        {
            reading.Report(value, key, $"found {value.Kind}; allowed is a single value.", allowed: "a single value");
            return null;
        }

        var names = new List<string>();
        if (reading.Environment.Expand(value.Text, names) is not { } text)
        {
            var missing = names[^1];
            reading.Report(
                value,
                key,
                EnvironmentVariables.IsName(missing)
                    ? $"the environment variable '{missing}' that it names is not set. Set it, or write $${{ for a plain ${{."
                    : "'${' must be followed by the name of an environment variable and '}'. Write $${ for a plain ${.",
                mask(value.Text),
                "the name of an environment variable that is set");
            return null;
        }

        // In the file's form, because a variable's value may be a secret.
        return new GivenValue(key, text, mask(value.Text), ConfigurationSource.File, reading.File, value.Line, value.Column);
    }

    private ConfigurationNode? Find(string name)
    {
        known.Add(name);
        var found = node?.Entries?.FindAll(entry => entry.Key.Text == name) ?? [];
        foreach (var again in found.Skip(1))
        {
            reading.Report(
                again.Key, KeyOf(name), string.Create(CultureInfo.InvariantCulture, $"is given twice; the first is in line {found[0].Key.Line}. Remove one."),
                allowed: "each key once");
        }

        return found.Count == 0 ? null : found[0].Value;
    }
}
