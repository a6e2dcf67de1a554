using System.Reflection;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>A store that deletes some objects, and then no longer answers to that.</summary>
public class FailingDeletes : DispatchProxy
{
    private IObjectStore inner = null!;
    private int left;

    /// <param name="inner">The store.</param>
    /// <param name="deletes">How many deletions it makes.</param>
    internal static IObjectStore After(IObjectStore inner, int deletes)
    {
        var proxy = Create<IObjectStore, FailingDeletes>();
        ((FailingDeletes)(object)proxy).inner = inner;
        ((FailingDeletes)(object)proxy).left = deletes;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IObjectStore.DeleteAsync) && left-- <= 0
            ? throw new BackupException(BackupErrorId.CloudUnavailable, inner.Location.ToString(), "The store does not answer.")
            : targetMethod.Invoke(inner, args);
}
