using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations;
using SignalHarvester.Backup.PowerShell.Cloud;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets share: the backup directory, and running an operation of the engine under PowerShell's rules.</summary>
public abstract class BackupCommand : PSCmdlet, IDisposable
{
    private const string DefaultDirectory = "backups";
    private const string IdBeginning = "backup_";
    private const int DeepestMetadata = 50;

    private readonly CancellationTokenSource stopping = new();
    private readonly Lazy<RemoteSession> remotes = new();

    /// <summary>
    /// The directory of the backups. Without it, the folder <c>backups</c> in the current location is used.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? BackupDirectory { get; set; }

    /// <summary>Ends the cmdlet's resources.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the cmdlet's resources.</summary>
    /// <param name="disposing">Whether this is a call of Dispose.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            stopping.Dispose();
            if (remotes.IsValueCreated)
            {
                remotes.Value.Dispose();
            }
        }
    }

    /// <summary>Ctrl+C: tells the operation to stop; ProcessRecord then waits for its clean-up.</summary>
    protected override void StopProcessing() => stopping.Cancel();

    private protected static CultureInfo Invariant => CultureInfo.InvariantCulture;

    private protected BackupDirectory OpenDirectory() => OpenDirectory(BackupDirectory);

    private protected BackupDirectory OpenDirectory(string? path) =>
        new(FileSystemPath(string.IsNullOrEmpty(path) ? DefaultDirectory : path), TimeProvider.System);

    /// <summary>
    /// The backup directory on this machine. A backup from an object store states the store as its directory, and that
    /// arrives as -BackupDirectory from the pipeline: it does not count here.
    /// </summary>
    private protected BackupDirectory OpenHome(BackupMetadata backup) =>
        OpenDirectory(backup.Location is not null && BackupDirectory == backup.BackupDirectory ? null : BackupDirectory);

    /// <summary>The object store that the parameters name, or that the backup says it is in.</summary>
    private protected RemoteCatalog OpenRemote(CloudParameters cloud, BackupMetadata? backup = null) =>
        OpenRemote(cloud, RemoteSession.Choose(cloud.Location(FileSystemPath), backup));

    private protected RemoteCatalog OpenRemote(CloudParameters cloud, CloudLocation location) => remotes.Value.Open(location, cloud.Options());

    /// <summary>All backups in a directory; a sidecar that cannot be used is written as an error.</summary>
    private protected IReadOnlyList<BackupMetadata> List(BackupDirectory directory)
    {
        var listing = directory.List();
        foreach (var fault in listing.Faults)
        {
            WriteError(ToRecord(fault));
        }

        return listing.Backups;
    }

    /// <summary>All backups in an object store; a sidecar that cannot be used is written as an error.</summary>
    private protected IReadOnlyList<BackupMetadata> ListRemote(RemoteCatalog remote)
    {
        var listing = RunOperation(context => remote.List(context.Cancellation));
        foreach (var fault in listing.Faults)
        {
            WriteError(ToRecord(fault));
        }

        return listing.Backups;
    }

    /// <summary>Refuses parameters of an object store where none is reached: what they say would be left undone.</summary>
    private protected void RefusePlace(CloudParameters cloud, string needed)
    {
        if (cloud.Provider is not null || cloud.Container is not null)
        {
            ThrowTerminatingError(ToRecord(new BackupException(
                BackupErrorId.InvalidArgument,
                BackupErrorCategory.InvalidArgument,
                nameof(cloud.Provider),
                $"-Provider and -Container have no meaning without {needed}. Add it, or leave them out.")));
        }
    }

    /// <summary>A path as the session sees it, made absolute. Wildcards are not expanded.</summary>
    private protected string FileSystemPath(string path)
    {
        var full = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
        return provider.Name == "FileSystem"
            ? full
            : throw new BackupException(
                BackupErrorId.InvalidArgument,
                BackupErrorCategory.InvalidArgument,
                path,
                $"'{path}' is not a path of the file system but of the provider {provider.Name}. Give a path of a file or folder.");
    }

    /// <summary>The files that a path with wildcards names; a path of a file that exists is taken as it stands.</summary>
    private protected IReadOnlyList<string> ExpandPath(string path)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(path) || InvokeProvider.Item.Exists(WildcardPattern.Escape(path)))
        {
            return [FileSystemPath(path)];
        }

        var found = new List<string>();
        try
        {
            found.AddRange(SessionState.Path.GetResolvedProviderPathFromPSPath(path, out _));
        }
        catch (ItemNotFoundException)
        {
            // The same as no match: named below.
        }

        return found.Count > 0
            ? found
            : throw new BackupException(
                BackupErrorId.SourceNotFound,
                BackupErrorCategory.ObjectNotFound,
                path,
                $"No file matches '{path}'. Check the path; for a name with brackets in it, use -LiteralPath.");
    }

    /// <summary>
    /// Runs an operation on another thread and writes what it tells from this one, the only one that PowerShell lets
    /// write. Does not return before the operation has ended, also when the pipeline is stopped.
    /// </summary>
    private protected T RunOperation<T>(Func<OperationContext, T> operation)
    {
        using var events = new BlockingCollection<(OperationEvent Told, TaskCompletionSource? Written)>();
        var context = new OperationContext(TimeProvider.System, Report, stopping.Token);
        var worker = Task.Run(() =>
        {
            try
            {
                return operation(context);
            }
            finally
            {
                events.CompleteAdding();
            }
        });
        try
        {
            foreach (var (told, written) in events.GetConsumingEnumerable())
            {
                Write(told);
                written?.SetResult();
            }
        }
        catch
        {
            // Stopped, or ended by -WarningAction Stop: whatever it is, the operation must not go on behind the caller's back.
            stopping.Cancel();
            ((IAsyncResult)worker).AsyncWaitHandle.WaitOne();
            throw;
        }

        try
        {
            return worker.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }

        void Report(OperationEvent told)
        {
            if (told is not OperationMessage)
            {
                events.Add((told, null));
                return;
            }

            // Waits until it is written: -WarningAction Stop and Inquire decide whether the operation may go on.
            var written = new TaskCompletionSource();
            events.Add((told, written));
            written.Task.Wait(stopping.Token);
        }
    }

    /// <summary>Whether a backup is of a database that is given by its full path or its file's name, with wildcards.</summary>
    private protected static bool IsOfDatabase(BackupMetadata backup, string pattern) =>
        backup.DatabasePath is { } path && (Matches(pattern, path) || Matches(pattern, Path.GetFileName(path)));

    /// <summary>Whether a text is what a pattern says, as wildcards or as it stands.</summary>
    private protected static bool Matches(string pattern, string text) =>
        WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(text) || string.Equals(pattern, text, StringComparison.OrdinalIgnoreCase);

    /// <summary>An id in the case that it is stored in. Its letters are all in the first word, and wildcards ignore case too.</summary>
    private protected static string Stored(string id) =>
        id.StartsWith(IdBeginning, StringComparison.OrdinalIgnoreCase) ? IdBeginning + id[IdBeginning.Length..] : id;

    /// <summary>Does something for one item; an error of the engine becomes one of PowerShell, and the next item goes on.</summary>
    private protected void ForItem(Action action)
    {
        try
        {
            action();
        }
        catch (BackupException exception)
        {
            WriteError(ToRecord(exception));
        }
    }

    /// <summary>Does something that the whole call depends on.</summary>
    private protected T ForCall<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (BackupException exception)
        {
            ThrowTerminatingError(ToRecord(exception));
            throw;
        }
    }

    private protected static ErrorRecord ToRecord(BackupException exception) => new(
        exception,
        exception.ErrorId,
        Enum.TryParse<ErrorCategory>(exception.Category.ToString(), out var category) ? category : ErrorCategory.NotSpecified,
        exception.Target);

    /// <summary>
    /// Asks as ConfirmImpact High wants it. -Force means yes, unless -Confirm or -WhatIf was given as well.
    /// </summary>
    private protected bool ShouldProcessUnlessForced(bool force, string target, string action) =>
        (force && !IsSwitchedOn("Confirm") && !IsWhatIf) || ShouldProcess(target, action);

    private protected bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given)
        ? ((SwitchParameter)given).IsPresent
        : SessionState.PSVariable.GetValue("WhatIfPreference") is { } preference && LanguagePrimitives.IsTrue(preference);

    private protected static Dictionary<string, object?> ToPlain(IDictionary table) => ToPlain(table, depth: 0);

    private static Dictionary<string, object?> ToPlain(IDictionary table, int depth)
    {
        var plain = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in table)
        {
            plain[LanguagePrimitives.ConvertTo<string>(entry.Key)] = ToPlain(entry.Value, depth + 1);
        }

        return plain;
    }

    private static object? ToPlain(object? value, int depth) => value switch
    {
        _ when depth > DeepestMetadata => throw new BackupException(
            BackupErrorId.InvalidArgument,
            BackupErrorCategory.InvalidArgument,
            "Metadata",
            $"-Metadata is more than {DeepestMetadata} levels deep, or holds itself. Give simpler notes."),
        PSObject wrapped => ToPlain(wrapped.BaseObject is PSCustomObject ? wrapped.ToString() : wrapped.BaseObject, depth),
        IDictionary table => ToPlain(table, depth),
        string text => text,
        IEnumerable list => list.Cast<object?>().Select(item => ToPlain(item, depth + 1)).ToArray(),
        _ => value,
    };

    private bool IsSwitchedOn(string name) =>
        MyInvocation.BoundParameters.TryGetValue(name, out var given) && ((SwitchParameter)given).IsPresent;

    private void Write(OperationEvent told)
    {
        switch (told)
        {
            case OperationMessage { IsWarning: true } message:
                WriteWarning(message.Text);
                break;
            case OperationMessage message:
                WriteVerbose(message.Text);
                break;
            case OperationProgress progress:
                WriteProgress(ProgressView.Of(progress));
                break;
            case OperationStepCompleted step:
                WriteProgress(ProgressView.Completed(step));
                break;
        }
    }
}
