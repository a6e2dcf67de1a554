using System.Globalization;

namespace SignalHarvester.Backup.Configuration;

/// <summary>One pass over a configuration: its settings, and all its problems.</summary>
/// <param name="path">The file's full path; null if there is none.</param>
/// <param name="baseFolder">The folder for relative paths, as a full path.</param>
/// <param name="environment">The variables that override the file.</param>
internal sealed class SettingsReading(string? path, string baseFolder, EnvironmentVariables environment)
{
    private const int LongestShown = 80;

    private readonly List<SettingsSection> sections = [];

    /// <summary>The variables that override the file.</summary>
    public EnvironmentVariables Environment => environment;

    /// <summary>The settings in effect, in the order of the file's sample.</summary>
    public List<ConfigurationSetting> Settings { get; } = [];

    /// <summary>The problems.</summary>
    public List<ConfigurationProblem> Problems { get; } = [];

    /// <summary>The configured paths.</summary>
    public List<ConfiguredPath> Paths { get; } = [];

    /// <summary>The file's path, for values in the file.</summary>
    public string File => path ?? string.Empty;

    /// <summary>Makes a path full, without a separator at its end.</summary>
    public string FullPath(string relative) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(relative, baseFolder));

    /// <summary>Notes a section. Its unknown keys are reported at the end.</summary>
    public void Enter(SettingsSection section) => sections.Add(section);

    /// <summary>Notes a setting.</summary>
    /// <param name="key">Its path.</param>
    /// <param name="value">Its effective value, in words; not used if the value is masked.</param>
    /// <param name="given">The configured value; null for a default.</param>
    /// <param name="variable">The variable that overrides it; null for none.</param>
    public void Add(string key, string? value, GivenValue? given, string? variable) => Settings.Add(new ConfigurationSetting
    {
        Key = key,
        Value = given is { IsMasked: true } ? given.Shown : value,
        Source = given?.Source ?? ConfigurationSource.Default,
        Line = given?.Line,
        EnvironmentVariable = variable,
        Path = path,
    });

    /// <summary>Reports a value that is not allowed.</summary>
    public void Refuse(GivenValue given, string allowed) =>
        Report(given, $"found {Quote(given.Shown)}; allowed is {allowed}.", allowed);

    /// <summary>Reports a problem of a configured value.</summary>
    public void Report(GivenValue given, string message, string? allowed = null, ConfigurationSeverity severity = ConfigurationSeverity.Error) =>
        Problems.Add(new ConfigurationProblem
        {
            Severity = severity,
            Path = given.Place,
            Line = given.Line,
            Column = given.Column,
            Key = given.Key,
            Found = given.Shown,
            Allowed = allowed,
            Message = message,
        });

    /// <summary>Reports a problem at a place of the file.</summary>
    public void Report(
        ConfigurationNode place, string? key, string message, string? found = null,
        string? allowed = null, ConfigurationSeverity severity = ConfigurationSeverity.Error) =>
        Problems.Add(new ConfigurationProblem
        {
            Severity = severity,
            Path = File,
            Line = place.Line,
            Column = place.Column,
            Key = key,
            Found = found,
            Allowed = allowed,
            Message = message,
        });

    /// <summary>Reports the unknown keys of the file, and the unknown variables of the environment.</summary>
    public void Finish()
    {
        var known = sections.SelectMany(section => section.Known.Select(section.KeyOf)).ToList();
        foreach (var section in sections.Where(section => section.IsClosed))
        {
            foreach (var key in section.Unknown())
            {
                var name = key.Text ?? string.Empty;
                var meant = NearestName.Of(name, section.Known) ?? known.Find(path => path.EndsWith("." + name, StringComparison.Ordinal));
                Report(
                    key,
                    section.KeyOf(Shorten(name)),
                    meant is null ? $"there is no such key; allowed are {string.Join(", ", section.Known)}." : $"there is no such key. Did you mean '{meant}'?",
                    Shorten(name),
                    meant ?? string.Join(", ", section.Known));
            }
        }

        var variables = Settings.Select(setting => setting.EnvironmentVariable).OfType<string>()
            .Append(EnvironmentVariables.ConfigurationFile)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var variable in environment.Names.Where(name => !variables.Contains(name)).Order(StringComparer.Ordinal))
        {
            if (NearestName.Of(variable, variables) is { } meant)
            {
                Problems.Add(new ConfigurationProblem
                {
                    Severity = ConfigurationSeverity.Warning,
                    Path = variable,
                    Message = $"the environment variable overrides no setting. Did you mean '{meant}'?",
                    Found = variable,
                    Allowed = meant,
                });
            }
        }

        // In the order of the file; problems outside of it come last.
        var inOrder = Problems.OrderBy(problem => problem.Line ?? int.MaxValue).ThenBy(problem => problem.Column).ToList();
        Problems.Clear();
        Problems.AddRange(inOrder);
    }

    /// <summary>Returns a text from outside, short and on one line.</summary>
    public static string Quote(string text) => $"'{Shorten(text)}'";

    private static string Shorten(string text)
    {
        var plain = new string([.. text.Select(letter =>
            char.IsControl(letter) || CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.Format or UnicodeCategory.LineSeparator ? '?' : letter)]);
        return plain.Length <= LongestShown ? plain : plain[..LongestShown] + "…";
    }
}
