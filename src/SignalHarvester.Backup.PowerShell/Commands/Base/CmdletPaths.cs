using System.Management.Automation;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Resolves paths in the session.</summary>
internal static class CmdletPaths
{
    extension(PSCmdlet cmdlet)
    {
        /// <summary>The folder for relative paths of the file system, whatever the session's present location is.</summary>
        public string FileSystemLocation => cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath;

        /// <summary>Makes a path of the session absolute, without expanding wildcards.</summary>
        /// <exception cref="BackupException">InvalidArgument: the path belongs to another provider than the file system.</exception>
        public string FileSystemPath(string path)
        {
            if (BackslashName.Find(path, cmdlet.FileSystemLocation) is { } named)
            {
                return named;
            }

            ProviderInfo provider;
            string full;
            try
            {
                full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out provider, out _);
            }
            catch (SessionStateException exception)
            {
                // The session has no such drive or provider.
                throw BackupException.InvalidArgument(
                    path, $"'{path}' is not a path in this session: {exception.Message.TrimEnd('.')}. Give the path of a file or folder.");
            }

            return provider.Name == "FileSystem"
                ? full
                : throw BackupException.InvalidArgument(
                    path, $"'{path}' is a path of the provider {provider.Name}, not of the file system. Give the path of a file or folder.");
        }

        /// <summary>
        /// Returns the files that match a path with wildcards; a backtick takes the meaning from the character after it. The path of an existing file
        /// is taken literally.
        /// </summary>
        /// <exception cref="BackupException">SourceNotFound: no file matches. InvalidArgument: the path belongs to another provider.</exception>
        public IReadOnlyList<string> ExpandPath(string path)
        {
            if (cmdlet.IsLiteral(path))
            {
                return [cmdlet.FileSystemPath(path)];
            }

            var found = new List<string>();
            try
            {
                found.AddRange(cmdlet.SessionState.Path.GetResolvedProviderPathFromPSPath(path, out _));
            }
            catch (ItemNotFoundException)
            {
                // The same as no match, which is reported below.
            }

            return found.Count > 0 ? found
                : !WildcardPattern.ContainsWildcardCharacters(path) ? [cmdlet.FileSystemPath(path)]
                : throw new BackupException(
                    BackupErrorId.SourceNotFound, path,
                    $"No file matches '{path}'. Check the path; for a name with brackets, use -LiteralPath, or put a backtick before each of them.");
        }

        /// <summary>
        /// Makes a path with wildcards absolute, and leaves it a pattern. The characters of the current location, or of a folder above it, are literal,
        /// whatever wildcards follow them.
        /// </summary>
        /// <exception cref="BackupException">InvalidArgument: the path belongs to another provider.</exception>
        public string FullPattern(string path)
        {
            var full = cmdlet.FileSystemPath(path);
            if (Path.IsPathRooted(path) || cmdlet.IsLiteral(path))
            {
                return full;
            }

            var dots = string.Join('/', path.Split('/', '\\').TakeWhile(part => part is "." or ".."));
            var folder = dots.Length == 0 ? cmdlet.FileSystemLocation : cmdlet.FileSystemPath(dots);
            return full.StartsWith(folder, StringComparison.Ordinal) ? WildcardPattern.Escape(folder) + full[folder.Length..] : full;
        }

        /// <summary>Whether a path means itself: it has no wildcard and no backtick, or a file has it as its name.</summary>
        private bool IsLiteral(string path) =>
            (!WildcardPattern.ContainsWildcardCharacters(path) && !path.Contains('`', StringComparison.Ordinal))
            || cmdlet.InvokeProvider.Item.Exists(WildcardPattern.Escape(path));
    }
}
