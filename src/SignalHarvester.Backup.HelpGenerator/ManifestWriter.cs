using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.HelpGenerator;

/// <summary>Completes the manifest of the module with what the build knows: the address of the sources, the files, and the changes of this version.</summary>
internal static partial class ManifestWriter
{
    /// <summary>Writes the manifest, unless it is there already.</summary>
    /// <param name="template">The manifest of the sources, with names in braces.</param>
    /// <param name="target">The manifest of the module, whose folder has everything except this file and <paramref name="helpFile"/>.</param>
    /// <param name="helpFile">The help, from the module's folder.</param>
    /// <param name="repository">The address of the sources.</param>
    /// <param name="changes">The change log.</param>
    public static void Write(string template, string target, string helpFile, string repository, string changes)
    {
        var text = File.ReadAllText(template);
        var version = ModuleVersion().Match(text).Groups["version"].Value;
        var folder = Path.GetDirectoryName(target)!;
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
            .Append(Path.GetFileName(target)).Append(helpFile)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var completed = text
            .Replace("{RepositoryUrl}", repository, StringComparison.Ordinal)
            .Replace("{FileList}", string.Join("', '", files), StringComparison.Ordinal)
            .Replace("{ReleaseNotes}", ChangesOf(version, File.ReadAllText(changes)).Replace("'", "''", StringComparison.Ordinal), StringComparison.Ordinal);
        if (!File.Exists(target) || File.ReadAllText(target) != completed)
        {
            File.WriteAllText(target, completed);
        }
    }

    private static string ChangesOf(string version, string changes) =>
        Array.Find(Section().Split(changes), section => section.StartsWith(version, StringComparison.Ordinal)) is { } own
            ? own[own.IndexOf('\n', StringComparison.Ordinal)..].Trim()
            : string.Empty;

    [GeneratedRegex(@"ModuleVersion\s*=\s*'(?<version>[^']+)'", RegexOptions.ExplicitCapture)]
    private static partial Regex ModuleVersion();

    [GeneratedRegex("^## ", RegexOptions.Multiline)]
    private static partial Regex Section();
}
