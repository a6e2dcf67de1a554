using System.Collections.Concurrent;
using System.Reflection;
using SignalHarvester.Backup.ObjectStorage;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>A store that counts what is asked of it, and fails as long as it is told to.</summary>
public class CountedCalls : DispatchProxy
{
    private readonly ConcurrentDictionary<string, int> calls = [];
    private IObjectStore inner = null!;

    /// <summary>Whether it does not answer.</summary>
    internal bool IsAway { get; set; }

    /// <summary>What it waits for before it answers; null for nothing.</summary>
    internal ManualResetEventSlim? Barrier { get; set; }

    /// <param name="inner">The store.</param>
    internal static (IObjectStore Store, CountedCalls Calls) Of(IObjectStore inner)
    {
        var proxy = Create<IObjectStore, CountedCalls>();
        var counted = (CountedCalls)(object)proxy;
        counted.inner = inner;
        return (proxy, counted);
    }

    /// <summary>How often something was asked since the last time that this was.</summary>
    internal int Take(string name) => calls.TryRemove(name, out var count) ? count : 0;

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _ = calls.AddOrUpdate(targetMethod!.Name, 1, (_, count) => count + 1);
        Barrier?.Wait(TestContext.Current.CancellationToken);
        return IsAway
            ? throw new BackupException(BackupErrorId.CloudUnavailable, inner.Location.ToString(), "The store does not answer.")
            : targetMethod.Invoke(inner, args);
    }
}
