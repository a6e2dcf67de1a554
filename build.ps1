#!/usr/bin/env pwsh
#Requires -Version 7.6

<#
.SYNOPSIS
Builds, tests, packs or measures the module.

.DESCRIPTION
For people with pwsh 7.6 (`dotnet tool restore`, then `dotnet pwsh`, gives one); `dotnet build` and `dotnet test` do the
same without it. The module is left, complete and ready to import, in out/SignalHarvester.Backup.

.PARAMETER Task
What to do, in this order:
Build   builds and assembles the module (the default; every other task begins with it), and what the other tasks need.
Test    builds everything and runs the xunit tests.
Pester  runs the specs of tests/Pester against the built module.
Pack    makes a package for a PowerShell repository in out/packages, for Publish-PSResource -NupkgPath.
Bench   measures the module beside every installed peer.

.PARAMETER Configuration
Release, or Debug.

.EXAMPLE
./build.ps1
Builds the module.

.EXAMPLE
./build.ps1 Test, Pester
Builds the module and runs all tests.
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Pester', 'Pack', 'Bench')]
    [string[]] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

$solution = Join-Path $PSScriptRoot 'SignalHarvester.Backup.PowerShell.sln'

$module = Join-Path $PSScriptRoot 'src' 'SignalHarvester.Backup.PowerShell'

# Each takes the module with it. The specs use Pester, which is laid out beside the module with the tests.
$built = if ('Test' -in $Task) { $solution }
    elseif ('Pester' -in $Task) { Join-Path $PSScriptRoot 'tests' 'SignalHarvester.Backup.PowerShell.Tests' }
    else { $module }
dotnet build $built --configuration $Configuration

if ('Test' -in $Task) {
    dotnet test $solution --configuration $Configuration --no-build
}

if ('Pester' -in $Task) {
    # In a process of its own: an imported module holds its files, and the next build could not replace them on Windows.
    pwsh -NoProfile -NonInteractive -File (Join-Path $PSScriptRoot 'tests' 'Pester' 'Invoke-Specs.ps1')
}

if ('Pack' -in $Task) {
    dotnet pack $module --configuration $Configuration --no-build
}

if ('Bench' -in $Task) {
    dotnet run --configuration $Configuration --project (Join-Path $PSScriptRoot 'bench' 'SignalHarvester.Backup.Bench')
}
