using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What all cmdlets share: paths as the session sees them, and errors of the engine as PowerShell's.</summary>
public abstract class ModuleCommand : PSCmdlet
{
    private protected static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>The folder that relative paths of the file system are relative to, wherever else the session may be.</summary>
    private protected string FileSystemLocation => SessionState.Path.CurrentFileSystemLocation.ProviderPath;

    private protected bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given)
        ? ((SwitchParameter)given).IsPresent
        : SessionState.PSVariable.GetValue("WhatIfPreference") is { } preference && LanguagePrimitives.IsTrue(preference);

    /// <summary>Whether the caller gave a parameter, on the command line or through the pipeline.</summary>
    private protected bool IsBound(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    /// <summary>
    /// Whether the caller gave texts for a parameter on the command line, asked before the first input: what the pipeline brings
    /// is bound to it too, but later, and so is what a script block makes of that.
    /// </summary>
    private protected bool IsGivenAsText(string parameter) => MyInvocation.BoundParameters.TryGetValue(parameter, out var given) && given is string[];

    /// <summary>A path as the session sees it, made absolute. Wildcards are not expanded.</summary>
    private protected string FileSystemPath(string path)
    {
        if (BackslashName.Find(path, FileSystemLocation) is { } named)
        {
            return named;
        }

        var full = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
        return provider.Name == "FileSystem"
            ? full
            : throw BackupException.InvalidArgument(
                path, $"'{path}' is not a path of the file system but of the provider {provider.Name}. Give a path of a file or folder.");
    }

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

    /// <inheritdoc cref="ForCall{T}(Func{T})"/>
    private protected void ForCall(Action action) => _ = ForCall(() =>
    {
        action();
        return true;
    });

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
}
