using System.Globalization;
using System.Text;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Configuration;

/// <summary>
/// The effective configuration: the file, if there is one, overridden by the environment. Reading never fails because of
/// the file's content: all problems are collected. Callers that act on it call <see cref="Require"/> first.
/// </summary>
public sealed class BackupConfiguration
{
    private const int LargestFile = 4 << 20;

    private const string WithoutIt =
        "If a restore cannot wait, add -NoConfiguration to each of its commands (Get-, Find-, Test-, Receive-, Restore- and Compare-SHBackup, Get-SHBackupHistory, Get-SHBackupTransaction, Invoke-SHBackupQuery, Invoke-SHRestoreDrill): they then use only their parameters, such as -BackupDirectory.";

    private static readonly string DefaultFile = System.IO.Path.Combine("config", "settings.yaml");
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly SettingsReading? reading;

    private BackupConfiguration(string? path, BackupSettings settings, SettingsReading? reading, IReadOnlyList<string> serviceVariables)
    {
        (Path, Settings, this.reading, ServiceVariables) = (path, settings, reading, serviceVariables);
    }

    /// <summary>No configuration: neither a file nor the environment was read, and every setting has its default.</summary>
    public static BackupConfiguration None { get; } = new(null, new BackupSettings(), null, []);

    /// <summary>The file's full path; null if there is none.</summary>
    public string? Path { get; }

    /// <summary>The settings. If there are errors, unreadable values have their defaults, and nothing may act on them.</summary>
    public BackupSettings Settings { get; }

    /// <summary>Each effective setting, with its source.</summary>
    public IReadOnlyList<ConfigurationSetting> Effective => reading?.Settings ?? [];

    /// <summary>The ignored environment variables with the settings' prefix: Kubernetes or Docker set them for a service.</summary>
    public IReadOnlyList<string> ServiceVariables { get; }

    /// <summary>All problems, in the order of the file, including warnings.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems => reading?.Problems ?? [];

    /// <summary>
    /// Finds the applicable configuration and reads it. Without one, that costs next to nothing, and
    /// <see cref="Effective"/> is empty.
    /// </summary>
    /// <param name="named">The given file, as a full path; null for none.</param>
    /// <param name="location">The folder that SHBACKUP_CONFIG and config/settings.yaml are relative to, as a full path.</param>
    /// <param name="cancellation">Ends the wait for a file that is a pipe. If it is already cancelled, only regular files are read.</param>
    /// <exception cref="BackupException">ConfigurationNotFound, ReadFailed.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public static BackupConfiguration Find(string? named, string location, CancellationToken cancellation)
    {
        var environment = EnvironmentVariables.OfProcess();
        var path = Locate(named, location, environment);
        return path is null && !environment.IsConcerned
            ? new BackupConfiguration(null, new BackupSettings(), null, environment.OfServices)
            : Read(path, location, environment, cancellation);
    }

    /// <summary>Finds the applicable configuration and reads it, with every setting even if there is no file.</summary>
    /// <inheritdoc cref="Find(string?, string, CancellationToken)"/>
    public static BackupConfiguration FindAll(string? named, string location, CancellationToken cancellation)
    {
        var environment = EnvironmentVariables.OfProcess();
        return Read(Locate(named, location, environment), location, environment, cancellation);
    }

    /// <summary>Warns of each configured path that does not exist.</summary>
    public IReadOnlyList<ConfigurationProblem> MissingPaths()
    {
        var warnings = new SettingsReading(Path, string.Empty, new EnvironmentVariables(new Dictionary<string, string>()));
        foreach (var (path, need, given) in reading?.Paths ?? [])
        {
            var missing = need switch
            {
                PathNeed.File when !File.Exists(path) => "there is no file '{0}'. Check the path.",
                PathNeed.MadeFolder when !Directory.Exists(path) => "there is no folder '{0}' yet. The first backup creates it.",
                PathNeed.Folder when !Directory.Exists(path) => "there is no folder '{0}'. Create it, mount it, or set create_container.",
                PathNeed.ParentFolder when !Directory.Exists(System.IO.Path.GetDirectoryName(path)) => "there is no folder for '{0}'. Create it.",
                _ => null,
            };
            if (missing is not null)
            {
                warnings.Report(
                    given, string.Format(CultureInfo.InvariantCulture, missing, given.IsMasked ? given.Shown : path), severity: ConfigurationSeverity.Warning);
            }
        }

        return warnings.Problems;
    }

    /// <summary>The settings, if they have no error.</summary>
    /// <exception cref="BackupException">ConfigurationInvalid: it names every error.</exception>
    public BackupSettings Require() => Fault(isListed: true) is { } fault ? throw fault : Settings;

    /// <summary>The error of the configuration; null if there is none.</summary>
    /// <param name="isListed">Whether the message lists every error, for users who have not seen them.</param>
    public BackupException? Fault(bool isListed)
    {
        var errors = Problems.Where(problem => problem.Severity == ConfigurationSeverity.Error).ToList();
        if (errors.Count == 0)
        {
            return null;
        }

        var (count, them) = errors.Count == 1 ? ("an error", "it") : (string.Create(CultureInfo.InvariantCulture, $"{errors.Count} errors"), "them");
        var list = !isListed ? $". Correct {them}: until then no command works, except a restore with -NoConfiguration."
            : $", so nothing was done. Correct {them}, and check with Test-SHBackupConfiguration. {WithoutIt}{(errors.Count == 1 ? " " : Environment.NewLine)}{string.Join(Environment.NewLine, errors)}";
        return new BackupException(
            BackupErrorId.ConfigurationInvalid, Path ?? EnvironmentVariables.ConfigurationFile,
            $"The configuration {(Path is null ? "in the environment" : $"'{Path}'")} has {count}{list}");
    }

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">The file's full path; null for none.</param>
    /// <param name="location">The folder for relative paths if there is no file.</param>
    /// <param name="environment">The variables that override the file.</param>
    /// <param name="cancellation">Ends the wait for a file that is a pipe.</param>
    /// <exception cref="BackupException">ConfigurationNotFound, ReadFailed.</exception>
    internal static BackupConfiguration Read(string? path, string location, EnvironmentVariables environment, CancellationToken cancellation)
    {
        var reading = new SettingsReading(path, path is null ? location : BaseFolderOf(path), environment);
        var root = path is null ? null : Load(path, reading, cancellation);
        var settings = SettingsMap.Read(reading, root);
        reading.Finish();
        return new BackupConfiguration(path, settings, reading, environment.OfServices);
    }

    /// <summary>
    /// The folder for relative paths in a file: the folder above a folder named config, as in the application; else the file's own folder.
    /// </summary>
    private static string BaseFolderOf(string path)
    {
        var folder = System.IO.Path.GetDirectoryName(path)!;
        return System.IO.Path.GetFileName(folder).Equals("config", StringComparison.OrdinalIgnoreCase)
            ? System.IO.Path.GetDirectoryName(folder) ?? folder
            : folder;
    }

    private static string? Locate(string? named, string location, EnvironmentVariables environment)
    {
        if (named is not null)
        {
            return named;
        }

        if (environment.TryGet(EnvironmentVariables.ConfigurationFile, out var variable))
        {
            return System.IO.Path.GetFullPath(variable, location);
        }

        var usual = System.IO.Path.Combine(location, DefaultFile);
        if (FileKind.IsSpecial(usual))
        {
            // Reading a pipe without a writer would never end. A pipe has to be named explicitly.
            throw new BackupException(
                BackupErrorId.ReadFailed, usual,
                $"The configuration file '{usual}' is a pipe, a device or a socket, not a file. Move it away, or give it with -ConfigurationPath if you mean it. {WithoutIt}");
        }

        return IsThere(usual) ? usual : null;
    }

    /// <summary>
    /// Whether anything has the name, even if it cannot be inspected: an unreadable file, a dangling link, and the folder
    /// that Docker creates when it finds no file to mount were all meant as a configuration.
    /// </summary>
    private static bool IsThere(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Reading it reports why.
            return true;
        }
    }

    private static ConfigurationNode? Load(string path, SettingsReading reading, CancellationToken cancellation)
    {
        string text;
        try
        {
            text = StrictUtf8.GetString(NamedFile.ReadAllBytes(path, LargestFile, cancellation)).TrimStart('\uFEFF');
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException || Directory.Exists(path))
        {
            throw new BackupException(
                BackupErrorId.ConfigurationNotFound, path,
                $"There is no configuration file '{path}'{(Directory.Exists(path) ? ", but a folder of that name" : string.Empty)}. Check -ConfigurationPath and SHBACKUP_CONFIG, or create one with New-SHBackupConfiguration. {WithoutIt}",
                exception);
        }
        catch (FileTooLargeException)
        {
            reading.Report(new ConfigurationNode(1, 1), null, "The file has more than 4 MiB, too much for a configuration. Check the path.");
            return null;
        }
        catch (DecoderFallbackException)
        {
            reading.Report(new ConfigurationNode(1, 1), null, "The file is not in UTF-8. Save it in that encoding.");
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ReadFailed, path,
                $"The configuration file '{path}' cannot be read: {exception.Message}{(exception is SilentPipeException ? string.Empty : " Check its permissions.")} {WithoutIt}",
                exception);
        }

        var (root, fault) = YamlFile.Parse(text);
        if (fault is var (line, column, message))
        {
            reading.Report(new ConfigurationNode(line, column), null, $"The file is not YAML: {message} Nothing after that was read.");
        }

        return root;
    }
}
