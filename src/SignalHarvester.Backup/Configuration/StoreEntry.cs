using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using SignalHarvester.Backup.Configuration.Settings;

namespace SignalHarvester.Backup.Configuration;

/// <summary>
/// Adds a named store to a configuration file. Lines are inserted and none is changed, so that comments and the application's own
/// settings stay as they are; the result is read again before it is written, and must say what it said before, and the store.
/// </summary>
public static class StoreEntry
{
    private const char ByteOrderMark = '\uFEFF';

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonSerializerOptions PlainLetters = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
        if (changed is null || !SaysTheSame(before, Read(changed, path), store))
        {
            throw new BackupException(
                BackupErrorId.ConfigurationInvalid, path,
                $"The store cannot be inserted into '{path}', because of the form of app.backup there. Add this to app.backup by hand: stores: {{ {store.Name}: {{ {string.Join(", ", Keys(store).Select(key => $"{key.Name}: {key.Value}"))} }} }}");
        }

        return changed;
    }

    /// <summary>Whether there is a configuration file to which an entry would be added.</summary>
    public static bool IsThere(string path) => File.Exists(path);

    /// <summary>Reads the present content of a configuration file; empty for a file that is not there.</summary>
    /// <exception cref="BackupException">ReadFailed, ConfigurationInvalid.</exception>
    public static string Load(string path)
    {
        try
        {
            return IsThere(path) ? StrictUtf8.GetString(File.ReadAllBytes(path)) : string.Empty;
        }
        catch (DecoderFallbackException exception)
        {
            throw new BackupException(BackupErrorId.ConfigurationInvalid, path, $"'{path}' is not in UTF-8. Save it in that encoding.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ReadFailed, path, $"The configuration file '{path}' cannot be read: {exception.Message} Check its permissions.", exception);
        }
    }

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
        ["app:", "  backup:", "    stores:", $"      {store.Name}:", .. Keys(store).Select(key => $"        {key.Name}: {key.Value}")];

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

    /// <summary>A text as YAML's double-quoted form, which JSON's is a part of. A plain ${ would name an environment variable.</summary>
    private static string Quoted(string text) => JsonSerializer.Serialize(text.Replace("${", "$${", StringComparison.Ordinal), PlainLetters);
}
