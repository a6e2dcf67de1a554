using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Configuration.Settings;

namespace SignalHarvester.Backup.Configuration;

/// <summary>
/// Adds a named store to a configuration file. Lines are inserted and none is changed, so that comments and the application's own
/// settings stay as they are; the result is read again before it is written, and must say what it said before, and the store.
/// </summary>
public static partial class StoreEntry
{
    private const char ByteOrderMark = '\uFEFF';

    /// <summary>Makes the new content of a configuration file.</summary>
    /// <param name="text">The present content; empty for a file that is not there.</param>
    /// <param name="path">The file's full path.</param>
    /// <param name="store">The store, with its name. Without a limit of its own, the configuration's limit for transfers applies.</param>
    /// <exception cref="BackupException">ConfigurationExists: the file has a store of this name. ConfigurationInvalid: the lines cannot be
    /// inserted; the message has them.</exception>
    public static string Insert(string text, string path, ObjectStoreSettings store)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(store);
        if (text.StartsWith(ByteOrderMark))
        {
            return ByteOrderMark + Insert(text[1..], path, store);
        }

        var before = Read(text, path);
        if (before.Settings.Stores.FirstOrDefault(one => StoreNames.AreSame(one.Name, store.Name)) is { } same)
        {
            throw new BackupException(
                BackupErrorId.ConfigurationExists, store.Name,
                $"The configuration '{path}' has a store '{same.Name}' already, and was not changed. Give another name, or change the entry in the file.");
        }

        var changed = InsertLines(text, store);
        if (changed is null || !SaysTheSame(before, Read(changed, path), store) || !IsOnlyChange(text, changed, store.Name))
        {
            throw new BackupException(
                BackupErrorId.ConfigurationInvalid, path,
                $"The store cannot be inserted into '{path}', because of the form of the file. Add this {ByHand(store)}");
        }

        return changed;
    }

    /// <summary>Refuses a file that would not stay what it is when it is replaced.</summary>
    /// <param name="path">The file's full path.</param>
    /// <param name="store">The store, whose entry the message has.</param>
    /// <exception cref="BackupException">ConfigurationInvalid.</exception>
    public static void RequireReplaceable(string path, ObjectStoreSettings store)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (SettingsFile.WhyNotReplaceable(path) is { } reason)
        {
            throw new BackupException(
                BackupErrorId.ConfigurationInvalid, path, $"The store cannot be inserted into '{path}', because {reason}. Add this {ByHand(store)}");
        }
    }

    private static string ByHand(ObjectStoreSettings store) =>
        $"to app.backup by hand: stores: {{ {Key(store.Name)}: {{ {string.Join(", ", Keys(store).Select(key => $"{key.Name}: {key.Value}"))} }} }}";

    private static (BackupSettings Settings, IReadOnlyList<ConfigurationSetting> Effective, int Errors) Read(string text, string path)
    {
        var reading = new SettingsReading(path, Path.GetDirectoryName(path)!, new EnvironmentVariables(new Dictionary<string, string>()));
        var (root, fault) = YamlFile.Parse(text);
        var settings = SettingsMap.Read(reading, root);
        return (settings, reading.Settings, reading.Problems.Count + (fault is null ? 0 : 1));
    }

    private static bool SaysTheSame(
        (BackupSettings Settings, IReadOnlyList<ConfigurationSetting> Effective, int Errors) before,
        (BackupSettings Settings, IReadOnlyList<ConfigurationSetting> Effective, int Errors) after,
        ObjectStoreSettings store)
    {
        var added = after.Settings.Stores.FirstOrDefault(one => one.Name == store.Name);
        var old = before.Effective.Select(Said).ToHashSet();
        var beginning = $"app.backup.stores.{store.Name}.";
        var options = store.Options with { BandwidthLimit = store.Options.BandwidthLimit ?? before.Settings.BandwidthLimit };
        return added == store with { Options = options } && after.Errors <= before.Errors
            && old.SetEquals(after.Effective.Where(setting => !setting.Key.StartsWith(beginning, StringComparison.Ordinal)).Select(Said));

        static (string, string?, ConfigurationSource) Said(ConfigurationSetting setting) => (setting.Key, setting.Value, setting.Source);
    }

    /// <summary>Whether the entry is the only difference in the whole file: an anchor can make one place of the text appear in several.</summary>
    private static bool IsOnlyChange(string text, string changed, string name)
    {
        var added = Leaves(YamlFile.Parse(changed).Root, string.Empty).ToList();
        var former = Leaves(YamlFile.Parse(text).Root, string.Empty).ToList();
        string[] parents = [string.Empty, "/app", "/app/backup", "/app/backup/stores"];
        var own = $"/app/backup/stores/{name}/";
        return former.Where(leaf => !parents.Contains(leaf)).SequenceEqual(
            added.Where(leaf => !parents.Contains(leaf) && !leaf.StartsWith(own, StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Leaves(ConfigurationNode? node, string path) => node switch
    {
        null => [],
        { Entries: [_, ..] entries } => entries.SelectMany(entry => Leaves(entry.Value, $"{path}/{entry.Key.Text}")),
        { Items: [_, ..] items } => items.SelectMany((item, index) => Leaves(item, string.Create(CultureInfo.InvariantCulture, $"{path}/[{index}]"))),
        _ => [node.Text is null ? path : $"{path}={node.Text}"],
    };

    /// <summary>Returns the text with the entry; null if there is no line after which it can stand.</summary>
    private static string? InsertLines(string text, ObjectStoreSettings store)
    {
        var (root, fault) = YamlFile.Parse(text);
        if (fault is not null)
        {
            return null;
        }

        string[] path = ["app", "backup", "stores"];
        (ConfigurationNode Key, ConfigurationNode Value)? deepest = null;
        var found = 0;
        for (var node = root; found < path.Length && node?.Entries?.Find(entry => entry.Key.Text == path[found]) is { Key: not null } entry; found++)
        {
            (deepest, node) = (entry, entry.Value);
        }

        var newLine = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var lines = text.Split('\n').ToList();
        if (deepest is not { } parent)
        {
            var gap = text.Length == 0 || text.EndsWith('\n') ? string.Empty : newLine;
            return text + gap + string.Concat(Whole(store).Select(line => line + newLine));
        }

        if (parent.Value is { IsNothing: false, Entries: null } || parent.Key.Line > lines.Count)
        {
            return null;
        }

        var indent = parent.Value.Entries is [var first, ..] ? first.Key.Column - 1 : parent.Key.Column + 1;
        var entryLines = Whole(store).Skip(found).Select(line => new string(' ', indent) + line[(2 * found)..]);
        var end = parent.Key.Line == lines.Count ? newLine : string.Empty;
        return string.Join('\n', lines.Take(parent.Key.Line)) + (end.Length > 0 ? end : "\n")
            + string.Concat(entryLines.Select(line => line + newLine)) + string.Join('\n', lines.Skip(parent.Key.Line));
    }

    /// <summary>The lines of the entry, and of the sections around it.</summary>
    private static IEnumerable<string> Whole(ObjectStoreSettings store) =>
        ["app:", "  backup:", "    stores:", $"      {Key(store.Name)}:", .. Keys(store).Select(key => $"        {key.Name}: {key.Value}")];

    private static IEnumerable<(string Name, string Value)> Keys(ObjectStoreSettings store)
    {
        var (location, options) = (store.Location, store.Options);
        if (location.Provider != CloudProvider.Directory)
        {
            yield return ("provider", location.Provider.ToString().ToLowerInvariant());
        }

        var place = location.Provider switch { CloudProvider.Directory => "path", CloudProvider.Azure => "container", _ => "bucket" };
        yield return (place, Quoted(location.Container));
        (string Name, string? Value)[] texts =
        [
            ("prefix", location.Prefix.Length > 0 ? location.Prefix : null),
            ("region", location.Region),
            ("account_name", location.AccountName),
            ("endpoint", location.Endpoint?.OriginalString),
            ("profile", location.Profile),
            ("storage_class", options.StorageClass),
            ("server_side_encryption", options.ServerSideEncryption),
            ("kms_key_id", options.EncryptionKey),
            ("bandwidth_limit", options.BandwidthLimit?.ToString(CultureInfo.InvariantCulture)),
            ("immutable_for", options.ImmutableFor is { } time ? ValueText.Of(time) : null),
        ];
        foreach (var (name, value) in texts.Where(text => text.Value is not null))
        {
            yield return (name, Quoted(value!));
        }

        (string Name, bool IsOn)[] flags =
        [
            ("path_style", location.UsePathStyle),
            ("trailing_checksums", options.UseTrailingChecksums),
            ("create_container", store.CreateContainer),
            ("upload_after_backup", store.UploadAfterBackup),
        ];
        foreach (var (name, _) in flags.Where(flag => flag.IsOn))
        {
            yield return (name, "true");
        }
    }

    /// <summary>
    /// A text in YAML's double-quoted form (https://yaml.org/spec/1.2.2/#57-escaped-characters): letters outside the first plane stand as they
    /// are, because readers differ about JSON's pairs of escapes. A plain ${ would name an environment variable.
    /// </summary>
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var letter in text.Replace("${", "$${", StringComparison.Ordinal))
        {
            _ = letter is '"' or '\\' ? quoted.Append('\\').Append(letter)
                : char.IsControl(letter) || letter is '\u2028' or '\u2029' or ByteOrderMark
                    ? quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:X4}")
                    : quoted.Append(letter);
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>A name as a key: quoted where YAML would take it for a number, a date, a truth value or nothing.</summary>
    private static string Key(string name) => PlainKey().IsMatch(name) ? name : Quoted(name);

    [GeneratedRegex(@"\A(?!(true|false|yes|no|on|off|y|n|null)\z)[a-z][a-z0-9_-]*\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PlainKey();
}
