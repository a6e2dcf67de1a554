using System.Management.Automation;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Paths as the session sees them.</summary>
internal static class CmdletPaths
{
    extension(PSCmdlet cmdlet)
    {
        /// <summary>The folder that relative paths of the file system are relative to, wherever else the session may be.</summary>
        public string FileSystemLocation => cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath;

        /// <summary>A path as the session sees it, made absolute. Wildcards are not expanded.</summary>
        /// <exception cref="BackupException">InvalidArgument: the path is of another provider than the file system.</exception>
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
                // A drive or a provider that the session has not got.
                throw BackupException.InvalidArgument(
                    path, $"'{path}' is not a path in this session: {exception.Message.TrimEnd('.')}. Give the path of a file or folder.");
            }

            return provider.Name == "FileSystem"
                ? full
                : throw BackupException.InvalidArgument(
                    path, $"'{path}' is a path of the provider {provider.Name}, not of the file system. Give the path of a file or folder.");
        }

        /// <summary>The files that a path with wildcards names; a path of a file that exists is taken as it stands.</summary>
        /// <exception cref="BackupException">SourceNotFound: no file matches. InvalidArgument: the path is of another provider.</exception>
        public IReadOnlyList<string> ExpandPath(string path)
        {
            if (!WildcardPattern.ContainsWildcardCharacters(path) || cmdlet.InvokeProvider.Item.Exists(WildcardPattern.Escape(path)))
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
                // The same as no match: named below.
            }

            return found.Count > 0
                ? found
                : throw new BackupException(
                    BackupErrorId.SourceNotFound, path, $"No file matches '{path}'. Check the path; for a name with brackets, use -LiteralPath.");
        }
    }
}
