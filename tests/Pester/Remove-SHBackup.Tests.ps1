Describe 'Remove-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $old = New-AgedBackup (New-TimeSpan -Days 40)
        $young = New-AgedBackup (New-TimeSpan -Days 20)
    }
    AfterEach { Exit-Workspace }

    It 'removes what is older than 30d and nothing else' {
        (Get-SHBackup | Where-Object Age -gt 30d | Remove-SHBackup -Force).Id | Should -Be $old
        (Get-SHBackup).Id | Should -Be $young
        Get-ChildItem ./backups -Filter "$old*" | Should -BeNullOrEmpty
    }

    It 'removes nothing for <_>' -ForEach '30', '30s', '4y', '30l', '1kb', '30.5', "''", 'nonsense' {
        Invoke-Expression "Get-SHBackup | Where-Object Age -gt $_ | Remove-SHBackup -Force" 2>$null
        Get-SHBackup | Should -HaveCount 2
    }

    It 'removes nothing with -WhatIf, -Force or not' {
        Get-SHBackup | Remove-SHBackup -WhatIf
        Get-SHBackup | Remove-SHBackup -WhatIf -Force
        Get-SHBackup | Should -HaveCount 2
    }

    It 'asks, and removes nothing where nobody can answer' {
        $module = (Get-Module SignalHarvester.Backup).ModuleBase
        pwsh -NoProfile -NonInteractive -Command { Import-Module $args[0]; Get-SHBackup | Remove-SHBackup } -args $module *> $null
        $LASTEXITCODE | Should -Be 1
        Get-SHBackup | Should -HaveCount 2
    }

    It 'takes ids' {
        (Remove-SHBackup $young -Confirm:$false).Id | Should -Be $young
        (Get-SHBackup).Id | Should -Be $old
    }

    It 'folds what builds on a backup into it, or takes it along with -Cascade' {
        $base = New-SHBackup ./app.db
        Edit-Database ./app.db
        $child = New-SHBackup ./app.db -Type Incremental
        ($base | Remove-SHBackup -Force).Id | Should -Be $base.Id
        ($child | Test-SHBackup).Verified | Should -BeTrue
        $child = Get-SHBackup $child.Id
        Edit-Database ./app.db
        $grandchild = New-SHBackup ./app.db -Type Incremental -Parent $child
        ($child | Remove-SHBackup -Cascade -Force).Id | Should -Be @($grandchild.Id, $child.Id)
        (Get-SHBackup).Id | Should -Be @($young, $old)
    }

    It 'removes nothing through a hostile sidecar' {
        Set-Content ./precious.txt 'precious'
        New-AgedBackup (New-TimeSpan -Days 50) @{ backup_path = '../precious.txt' } | Out-Null
        Remove-SHBackup * -Force -ErrorAction SilentlyContinue -ErrorVariable failed | Should -HaveCount 2
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'SidecarHostile,*'
        './precious.txt' | Should -Exist
    }
}
