namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>One table of the report. A new measurement is a new subclass, listed in <see cref="Program"/>.</summary>
internal abstract class Step
{
    /// <summary>Its name for --only.</summary>
    public abstract string Name { get; }

    /// <summary>What is measured, for the table's heading.</summary>
    public abstract string Title { get; }

    /// <summary>The contestants, in the order in which each round runs them.</summary>
    public abstract IEnumerable<Contestant> Contestants();

    /// <summary>Compares the lines to beat with the measurements. A line without its numbers is left out.</summary>
    public virtual IEnumerable<Line> Judge(StepResult result) => [];
}
