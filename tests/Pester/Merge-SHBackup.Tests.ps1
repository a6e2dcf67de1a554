Describe 'Merge-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $full = New-SHBackup ./app.db
        $increment = New-SHBackup ./app.db -Type Incremental
    }
    AfterEach { Exit-Workspace }

    It 'makes a full backup of an increment, under the same id' {
        $increment.Type | Should -Be 'Incremental'
        $merged = $increment | Merge-SHBackup
        $merged.Id | Should -Be $increment.Id
        $merged.Type | Should -Be 'Full'
        $merged.Checksum | Should -Be $increment.Checksum
        Remove-SHBackup $full.Id -Force
        Get-SHBackup | Test-SHBackup -Quiet | Should -BeTrue
    }

    It 'changes nothing with -WhatIf' {
        $increment | Merge-SHBackup -WhatIf
        (Get-SHBackup $increment.Id).Type | Should -Be 'Incremental'
    }
}
